"""The names that Pulumi gives: every pattern of `pulumi:autonaming` fits the cloud, or is refused with the reason."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from infra import clouds, naming
from infra.function_spec import LONGEST_NAME
from infra.function_table import FUNCTIONS
from infra.naming import KEY, components, require
from infra.physical_name import Part, PhysicalName
from infra.settings import Settings
from tests.graph import Graph, deploy
from tests.infra import sample
from tests.infra.test_rules import CLOUDS, RuledCloud

LONG = "a_model_whose_name_is_as_long_as_it_may_possibly"
USUAL = "${project}-${stack}-${name}-${hex(4)}"
STACKS: tuple[dict[str, Any], ...] = (
    {},
    {"training": {}},
    {"scaling": {"models": {"file_type": {"profile": "latency"}}}},
    {"models": ["breast_cancer", LONG], "scaling": {"models": {LONG: {"profile": "latency"}}}},
)
NAMED = ("name", "bucket", "accountId")
"""The outputs that hold a physical name."""
every_cloud = pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)


def named_by_pulumi(graph: Graph) -> dict[str, set[str]]:
    """Return the logical names of what Pulumi names, by type."""
    found: dict[str, set[str]] = {}
    for resource in graph:
        if not resource.component and any(
            resource.outputs.get(key) == f"{resource.name}-1a2b3c4" and key not in resource.inputs for key in NAMED
        ):
            found.setdefault(resource.type, set()).add(resource.name)
    return found


def stated_by_the_table(cloud: RuledCloud, settings: Settings) -> dict[str, set[str]]:
    stack = components(settings, sample.files(settings).keys())
    names: dict[str, set[str]] = {}
    for row in clouds.find(cloud.name).names:
        names.setdefault(row.type, set()).update(row.logical(stack))
    return {type_: logical for type_, logical in names.items() if logical}


@every_cloud
@pytest.mark.parametrize("more", STACKS, ids=("models", "no-schedule", "apart", "long"))
def test_the_table_has_every_name_that_pulumi_gives_and_no_other(cloud: RuledCloud, more: dict[str, Any]) -> None:
    graph = cloud.whole.whole(**more)
    table, drawn = stated_by_the_table(cloud, cloud.whole.settings(**more)), named_by_pulumi(graph)
    assert drawn.items() <= table.items()
    for type_ in table.keys() - drawn.keys():
        assert table[type_] == {r.name for r in graph.of(type_) if "name" not in r.inputs}, type_


@every_cloud
def test_a_name_that_the_table_lacks_is_seen(cloud: RuledCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    table = stated_by_the_table(cloud, cloud.whole.settings())
    drawn = named_by_pulumi(cloud.whole.graph())
    assert len(drawn) > 5
    for type_ in drawn:
        assert drawn[type_] - (table[type_] - {max(table[type_])}) == {max(table[type_])}


def refusal(
    cloud: str,
    autonaming: object,
    *,
    stack: str = "dev",
    more: dict[str, Any] | None = None,
    finished: tuple[str, ...] = (),
    secret: tuple[str, ...] = (),
) -> str:
    """Return what is said of the names of a stack; nothing where they are accepted."""
    settings = Settings.parse({"cloud": cloud, "models": ["breast_cancer"], **(more or {})}, where="")
    said: list[str] = []

    def program() -> None:
        try:
            require(clouds.find(cloud).names, settings, finished)
        except pulumi.RunError as refused:
            said.append(str(refused))

    config = {KEY: json.dumps(autonaming), "serverless-ml:short": "sm"} if autonaming is not None else {}
    deploy(program, config=config, stack=stack, secret_keys=secret)
    return "".join(said)


@every_cloud
@pytest.mark.parametrize(
    "autonaming",
    [
        None,
        {"mode": "default"},
        {"pattern": "${name}-${hex(4)}"},
        {"pattern": "${name}-${alphanum(4)}", "enforce": True},
        {"mode": "verbatim", "providers": {"aws": {"mode": "default"}, "gcp": {"pattern": "${name}-${num(5)}"}}},
        {"providers": {"random": {"mode": "verbatim"}}},
        {"pattern": "${config.short}-${name}-${hex(4)}"},
    ],
)
def test_what_fits_is_accepted(cloud: RuledCloud, autonaming: object) -> None:
    long = {"models": [LONG, "b"], "scaling": {"models": {LONG: {"profile": "latency"}}}}
    assert refusal(cloud.name, autonaming, more=long) == ""


def test_the_usual_pattern_gives_accounts_of_gcp_too_long_an_id() -> None:
    message = refusal("gcp", {"pattern": USUAL}, stack="gcp-dev")
    accounts = next(line for line in message.splitlines() if "serviceaccount" in line)
    assert accounts == (
        "Pulumi.gcp-dev.yaml: pulumi:autonaming.pattern: gcp:serviceaccount/account:Account:"
        " serverless-ml-gcp-dev-supervis-432c-schedule-0000 has 49 characters; accepted: at most 30 in all, as by"
        " ${name}-${hex(4)} in pulumi:autonaming.providers.gcp.resources.gcp:serviceaccount/account:Account"
    )
    own = {"resources": {"gcp:serviceaccount/account:Account": {"pattern": "${name}-${hex(4)}"}}}
    assert refusal("gcp", {"pattern": USUAL, "providers": {"gcp": own}}, stack="gcp-dev") == ""


def test_the_usual_pattern_fits_aws_unless_a_models_name_is_long() -> None:
    assert refusal("aws", {"pattern": USUAL}) == ""
    scheduled = {"models": [LONG], "training": {"schedule": "0 3 * * 1"}}
    message = refusal("aws", {"pattern": USUAL}, stack="development", more=scheduled)
    assert "aws:scheduler/schedule:Schedule: serverless-ml-development-retrain-a_model_whose_name_" in message
    assert "accepted: at most 64 in all, as by ${stack}-${name}-${hex(4)} in " in message


@pytest.mark.parametrize(
    ("cloud", "pattern", "longest"),
    [("aws", "${stack}-${name}-${hex(4)}", 15), ("gcp", "${stack}-${name}-${hex(4)}", 2)],
)
def test_what_the_page_says_of_a_stacks_name_holds(cloud: str, pattern: str, longest: int) -> None:
    """docs/clouds.md, for the longest names that a finished model can have."""
    more = {"models": ["b", LONG], "scaling": {"models": {LONG: {"profile": "latency"}}}}
    for characters, fits in ((longest, True), (longest + 1, False)):
        told = refusal(cloud, {"pattern": pattern}, stack="s" * characters, more=more, finished=(LONG,))
        assert (not told) is fits, told


@pytest.mark.parametrize(("name", "fits"), [("m" * 22, True), ("m" * 23, False)])
def test_the_usual_pattern_fits_dev_unless_a_finished_model_has_a_long_name(name: str, *, fits: bool) -> None:
    assert (not refusal("aws", {"pattern": USUAL}, more={"models": [name]}, finished=(name,))) is fits


@pytest.mark.parametrize(
    ("cloud", "autonaming", "expected"),
    [
        ("aws", {"mode": "verbatim"}, "pulumi:autonaming.mode: verbatim: what is replaced would be deleted before"),
        ("gcp", {"pattern": "${stack}-${name}"}, "pulumi:autonaming.pattern: ${stack}-${name}: what is replaced"),
        ("gcp", {"mode": "disabled"}, "mode: disabled: the program names nothing itself; accepted: ${name}-${hex(4)}"),
        (
            "aws",
            {"providers": {"aws": {"resources": {"aws:s3/bucket:Bucket": {"mode": "verbatim"}}}}},
            "pulumi:autonaming.providers.aws.resources.aws:s3/bucket:Bucket.mode: verbatim: ",
        ),
        ("gcp", {"pattern": "${hex(4)}-${name}"}, "0000-supervis-432c-schedule has other characters than are accepted"),
        ("aws", {"pattern": "${name}_${hex(4)}"}, "captures-bucket_0000 has other characters than are accepted"),
        ("aws", {"pattern": "${uuid}-${uuid}-${name}"}, "-supervise-function has 92 characters; accepted: at most 64 "),
        (
            "aws",
            {"pattern": "${name}-${hex(50)}"},
            "accepted: at most 64 in all, 9 of them for -arrivals, as by",
        ),
        ("aws", "x", "pulumi:autonaming is no mapping; accepted: as in pattern: ${name}-${hex(4)}"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_key_and_what_does(cloud: str, autonaming: object, expected: str) -> None:
    message = refusal(cloud, autonaming)
    assert message.startswith("Pulumi.dev.yaml: pulumi:autonaming")
    assert expected in message


def test_what_is_secret_is_not_shown() -> None:
    pattern = {"pattern": "hunter2-${name}"}
    told = refusal("aws", pattern, secret=(KEY,))
    assert told == f"Pulumi.dev.yaml: {KEY}: names are not accepted; none is shown, since it is secret"
    told = refusal("gcp", {"pattern": "${config.short}-${project}-${name}-${hex(9)}"}, secret=("serverless-ml:short",))
    assert "Account: xx-serverless-ml-" in told


def test_one_mistake_is_told_once() -> None:
    assert len(refusal("aws", {"mode": "verbatim"}).splitlines()) == 1


@every_cloud
def test_a_pattern_that_is_proposed_fits_the_longest_names_that_can_come(cloud: RuledCloud) -> None:
    stack = {**components(cloud.whole.settings(**STACKS[3]), ()), Part.CALL: ("f" * 8,)}
    stack[Part.FUNCTION] = (*stack[Part.FUNCTION], "f" * LONGEST_NAME)
    names = clouds.find(cloud.name).names
    assert all(isinstance(row, PhysicalName) for row in names)
    assert all(naming._fits(row, naming.PATTERNS[-1], list(row.logical(stack))) for row in names)
    assert FUNCTIONS
