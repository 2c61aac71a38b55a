"""The changes that matter most, each under traffic: not one request fails, and only what was foretold is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.engine.embedded import MODEL, STACKS, embedded
from tests.engine.project import Project
from tests.engine.walk import COPIES, Change, Done, Walk
from tests.urns.promise import read

pytestmark = pytest.mark.integration
EARLY, LATE = COPIES
OPEN = {"kind": "none", "reason": "it listens on the loopback address of one machine"}
OWN = {"scaling": {"models": {MODEL: {"profile": "eco", "memory_mb": 2048}}}}
BOTH: Mapping[str, Change] = {
    "a model more in front, and others in another order": Change(settings={"models": [EARLY, "file_type", MODEL]}),
    "a model more at the end, and one fewer": Change(settings={"models": [MODEL, "file_type", LATE]}),
    "a function of the model's own": Change(settings=OWN),
    "code": Change(edited=("predict",)),
    "protection": Change(settings={"protect": True}),
    "profile": Change(settings={"scaling": {"profile": "latency"}}),
    "memory": Change(settings={"functions": {"predict": {"memory_mb": 1769}}}),
    "throttling": Change(settings={"api": {"auth": OPEN, "throttling": {"rate": 500, "burst": 900}}}),
}
ONE: Mapping[str, Mapping[str, Change]] = {
    "aws": {
        "a schedule": Change(settings={"training": {"parallelism": 2, "schedule": "0 3 * * 1"}}),
        "attempts": Change(settings={"jobs": {"attempts": 9}}),
    },
    "gcp": {
        "capture": Change(settings={"capture": {"inputs": 0.1, "days": 90}}),
        # On AWS a signature is of the path that the emulator has behind its own gateway: nobody can sign for it.
        "callers sign": Change(settings={"api": {"auth": {"kind": "iam"}}}),
    },
}
"""Those that do the same on both clouds are made on one, the one where they do more."""
CHANGES = [pytest.param(cloud, what, id=f"{cloud}-{what}") for cloud in STACKS for what in (*BOTH, *ONE[cloud])]
DYING: Mapping[str, tuple[Change, int]] = {
    "creates and replaces": (Change(settings={"models": [MODEL, "file_type", EARLY]}), 9),
    "deletes": (Change(settings={"models": [MODEL], "log_days": 5}), 9),
    "makes a function": (Change(settings={"scaling": {"models": {MODEL: {"profile": "latency"}}}}), 5),
}
"""Changes that none of the others leads to, and how many resources are done when the `up` dies."""

EITHER = pytest.mark.parametrize("walk", STACKS, indirect=True, scope="module")


@pytest.fixture(scope="module")
def walk(
    request: pytest.FixtureRequest, project: Callable[[], Project], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walk]:
    with embedded(request.param, project(), tmp_path_factory.mktemp("cloud")) as stack:
        stack.project.pulumi("stack", "init", STACKS[request.param])
        yield Walk(stack)


def right(done: Done) -> bool:
    """Hold what came of a change to what was foretold, to the traffic, and to the permissions."""
    assert done.steps == done.foretold
    assert (done.traffic.failed, done.traffic.answered > 0) == ([], True)
    return done.permissions is None or not done.permissions.lost


@pytest.mark.parametrize(("walk", "what"), CHANGES, indirect=["walk"], scope="module")
def test_a_change_does_what_its_graphs_foretell_and_not_one_request_fails(walk: Walk, what: str) -> None:
    caller = walk.caller
    assert right(walk.go({**BOTH, **ONE[walk.stack.name]}[what]))
    assert walk.caller == caller


@pytest.mark.parametrize("walk", ["gcp"], indirect=True, scope="module")
def test_a_stack_of_an_older_program_is_brought_up_to_date_and_loses_nothing(walk: Walk) -> None:
    if walk.upgraded is None:
        pytest.skip(walk.why_not)
    upgraded, stack = walk.upgraded, walk.stack
    assert upgraded.traffic.failed == []
    assert upgraded.traffic.answered > 0
    assert upgraded.permissions is not None
    assert upgraded.permissions.removed > 20
    assert upgraded.permissions.lost == set()
    assert upgraded.after == set(read(STACKS[stack.name]))
    assert changed(walk.outputs, upgraded.outputs) == []
    assert (upgraded.refreshed, upgraded.previewed) == ({}, {})


def changed(before: object, after: object, name: str = "") -> list[str]:
    """Return the names of outputs that are gone, or are not what they were. Clients do not know those that are new."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [found for key, value in before.items() for found in changed(value, after.get(key), f"{name}.{key}")]
    return [] if before == after else [name]


@EITHER
@pytest.mark.parametrize("what", DYING)
def test_an_up_whose_plugin_dies_in_the_middle_is_finished_by_the_next(walk: Walk, what: str) -> None:
    change, after = DYING[what]
    assert right(walk.go(change, up=lambda: walk.dying(after)))
    walk.stack.project.deploying("preview", "--expect-no-changes")


@EITHER
def test_an_up_whose_cli_is_killed_is_finished_as_the_docs_say(walk: Walk) -> None:
    change = Change(settings={"models": [MODEL, LATE], "training": {"parallelism": 2, "schedule": "0 5 * * *"}})
    assert right(walk.go(change, up=lambda: walk.killed(12)))
    walk.stack.project.deploying("preview", "--expect-no-changes")
