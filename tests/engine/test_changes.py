"""What a stack that is up does when something of it changes, on purpose or not: the change, and nothing else."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler
from tests.engine.embedded import MODEL, SECONDS, STACKS, Embedded, embedded
from tests.engine.project import Project

pytestmark = pytest.mark.integration
STEPS = ("prepare", "train", "select", "rollout")
"""The functions whose archives hold `model.yaml` of a model that is trained."""
LOGS = ("api", "jobs", "predict", "prepare", "rollout", "select", "train", "training")


def names(*templates: str, of: tuple[str, ...] = ("",)) -> frozenset[str]:
    return frozenset(template.format(one) for template in templates for one in of)


@dataclass(frozen=True, kw_only=True)
class Change:
    """An edit of a file, and by cloud and operation the names of all resources that it touches."""

    path: str
    before: str
    after: str
    touched: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)


CHANGES = {
    "a setting": Change(
        path="Pulumi.{stack}.yaml",
        before="log_days: 1",
        after="log_days: 3",
        touched={
            "aws": {"update": names("{}-logs", of=LOGS)},
            "gcp": {"update": names("{}-logs", of=LOGS)},
        },
    ),
    "a function's code": Change(
        path="functions/core/release/judge.py",
        before="from __future__ import annotations",
        after="# Edited.\nfrom __future__ import annotations",
        touched={
            "aws": {"replace": names("rollout-code"), "update": names("rollout-function", "rollout-alias")},
            "gcp": {"replace": names("rollout-code"), "update": names("rollout-function")},
        },
    ),
    "a model's file": Change(
        path="models/breast_cancer/model.yaml",
        before="name: breast_cancer",
        after="name: breast_cancer # edited",
        touched={
            "aws": {"replace": names("{}-code", of=STEPS), "update": names("{}-function", "{}-alias", of=STEPS)},
            "gcp": {"replace": names("{}-code", of=STEPS), "update": names("{}-function", of=STEPS)},
        },
    ),
    "a grant": Change(
        path="infra/function_table.py",
        before='            reads("captures", ""),\n',
        after='            reads("captures", ""),\n            reads("data", layout.DATASETS),\n',
        touched={
            "aws": {"update": names("rollout-policy")},
            "gcp": {"create": names("rollout-read-data-{}", of=("breast_cancer", "file_type"))},
        },
    ),
}


MORE_MODELS = ("an_early_one", "second")
REMOVED = {
    "aws": {"rollout-policy", "republish-file_type-schedule"},
    "gcp": {"rollout-read-captures-breast_cancer", "republish-file_type-job"},
}


@pytest.fixture(scope="module", params=[pytest.param(name, id=name) for name in STACKS])
def stack(
    request: pytest.FixtureRequest, project: Callable[[], Project], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Embedded]:
    with embedded(request.param, project(), tmp_path_factory.mktemp("cloud")) as found:
        found.project.pulumi("stack", "init", STACKS[request.param])
        found.project.deploying("up")
        yield found


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_touches_what_it_is_about_and_the_preview_says_so(stack: Embedded, what: str) -> None:
    change = CHANGES[what]
    stack.project.edit(change.path.format(stack=STACKS[stack.name]), change.before, change.after)
    up = stack.deploy()
    assert {operation: up.names(operation) for operation in up.counts} == change.touched[stack.name]


def test_models_come_and_go_and_take_no_permission_from_those_that_stay(stack: Embedded) -> None:
    settings, few = f"Pulumi.{STACKS[stack.name]}.yaml", "models: [breast_cancer, file_type]"
    for name in MORE_MODELS:
        copy = stack.project.root / "models" / name
        shutil.copytree(copy.with_name(MODEL), copy)
        stack.project.edit(f"models/{name}/model.yaml", f"name: {MODEL}", f"name: {name}")
    many = f"models: [{', '.join((MORE_MODELS[0], MODEL, 'file_type', MORE_MODELS[1]))}]"
    for before, after in ((few, many), (many, few)):
        stack.project.edit(settings, before, after)
        with permissions_watched(stack) as moments:
            up = stack.deploy()
        touched = {urn.split("::")[-1] for urn in up.steps}
        if stack.name == "aws":
            assert not [name for name in touched if name.endswith(("-policy", "-rule", "-target", "-role"))]
        else:
            assert len(moments) > 30
            assert not [name for name in touched if name.endswith(("-breast_cancer", "-file_type", "-notification"))]
        assert not any(moments)
    stack.project.deploying("preview", "--expect-no-changes")


def _noting(
    handler: ResourceHandler, stack: Embedded, kept: Mapping[str, Resource], moments: list[set[str]]
) -> ResourceHandler:
    """Return a handler that notes after each change which resources the cloud does not have."""

    def note() -> None:
        assert handler.exists is not None
        moments.append({name for name, resource in kept.items() if not handler.exists(stack.cloud.session, resource)})

    def create(order: Order) -> Registered:
        registered = handler.create(order)
        note()
        return registered

    def delete(session: object, resource: Resource) -> None:
        assert handler.delete is not None
        handler.delete(session, resource)
        note()

    return replace(handler, create=create, delete=delete)


@contextmanager
def permissions_watched(stack: Embedded) -> Generator[list[set[str]]]:
    """Note after each change of a policy of GCP which bindings of the models that stay are not in it."""
    type_ = "gcp:storage/bucketIAMMember:BucketIAMMember"
    kept = {
        resource.declared.name: resource
        for resource in stack.project.resources()
        if resource.declared.type == type_ and resource.declared.name.endswith(("-breast_cancer", "-file_type"))
    }
    moments: list[set[str]] = []
    handlers = stack.provider.handlers
    handler = handlers.get(type_)
    if handler is None:
        yield moments
        return

    assert kept
    stack.provider.handlers = {**handlers, type_: _noting(handler, stack, kept, moments)}
    try:
        yield moments
    finally:
        stack.provider.handlers = handlers


def test_an_edit_of_a_page_changes_nothing(stack: Embedded) -> None:
    stack.project.edit("CHANGELOG.md", "# Changelog", "# Changes")
    stack.project.deploying("preview", "--expect-no-changes")


def test_what_was_removed_behind_its_back_is_found_and_made_again(stack: Embedded) -> None:
    removed = REMOVED[stack.name]
    for resource in stack.project.resources():
        if resource.declared.name in removed:
            delete = stack.cloud.handlers[resource.declared.type].delete
            assert delete is not None
            delete(stack.cloud.session, resource)
    assert stack.project.deploying("refresh").names("delete") == removed
    up = stack.deploy()
    assert {operation: up.names(operation) for operation in up.counts} == {"create": removed}


def test_a_protected_stack_is_not_destroyed_and_loses_nothing(stack: Embedded) -> None:
    settings = f"Pulumi.{STACKS[stack.name]}.yaml"
    stack.project.edit(settings, "protect: false", "protect: true")
    stack.project.deploying("up")
    refused = stack.project.deploying("destroy", code=None)
    assert refused.code != 0
    assert "is protected" in refused.output
    stack.project.deploying("refresh", "--expect-no-changes")
    stack.project.edit(settings, "protect: true", "protect: false")
    stack.project.deploying("up")


def test_a_plugin_that_is_killed_in_the_middle_costs_nothing_that_the_next_up_does_not_mend(stack: Embedded) -> None:
    stack.project.edit("functions/core/release/judge.py", "from typing import", "# Once more.\nfrom typing import")
    with stack.project.plain(), stack.halting() as halted, stack.project.begin("up", "--yes", "--skip-preview") as up:
        assert halted.reached.wait(SECONDS)
        second = stack.project.deploying("up", code=None)
        assert second.code != 0
        assert "the stack is currently locked" in second.output
        for plugin in stack.project.plugins():
            os.kill(plugin, signal.SIGKILL)
        assert up.wait(SECONDS) != 0
    stack.project.deploying("up")
    stack.project.deploying("preview", "--expect-no-changes")
