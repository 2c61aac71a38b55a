from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from tests.graph import Graph, Resource, deploy
from tests.root import ROOT
from tests.urns import promise
from tests.urns.names import names
from tests.urns.promise import LASTING, STACKS, given_up, lost, read, renewed, unlisted

WHAT_TO_WEIGH = (
    "run `python -m tests.urns` to add it, and weigh the name first: from the commit on it is a promise to every"
    " stack that is deployed, and can be changed only with an alias"
)


@cache
def graph(stack: str) -> Graph:
    return promise.graph(stack)


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_that_is_deployed_is_upgraded_without_loss(stack: str) -> None:
    broken = given_up((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert list(lost(read(stack), graph(stack), broken)) == []


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_is_listed(stack: str) -> None:
    added = unlisted(read(stack), graph(stack))
    assert not added, f"tests/urns/{stack}.json lists no {', '.join(added)}: {WHAT_TO_WEIGH}"


@pytest.mark.parametrize("stack", STACKS)
def test_a_name_in_the_list_is_the_urn_of_the_engine_without_stack_and_project(stack: str) -> None:
    urns = {resource.urn.split("::", 2)[2] for resource in graph(stack)}
    assert urns == set(read(stack))
    assert not any("pulumi:pulumi:Stack" in urn for urn in urns)


@pytest.mark.parametrize("stack", STACKS)
def test_the_list_says_of_everything_that_lasts_why_it_does(stack: str) -> None:
    for key, entry in read(stack).items():
        why = LASTING.get(key.partition("::")[0].rpartition("$")[2], (None,))[0]
        assert entry.get("why") == why, key


def test_a_list_belongs_to_a_stack() -> None:
    assert {path.stem for path in promise.FOLDER.glob("*.json")} == set(STACKS)


def one(declared: Graph, name: str, kind: str) -> Resource:
    return next(resource for resource in declared if resource.name == name and resource.type.endswith(f":{kind}"))


def changing(logical_name: str, kind: str, /, **more: Any) -> Callable[[Graph], Graph]:
    """Return a change of one resource; a function in `more` makes the value from the graph."""

    def change(declared: Graph) -> Graph:
        resource = one(declared, logical_name, kind)
        values = {key: value(declared) if callable(value) else value for key, value in more.items()}
        return declared.swapped(resource, replace(resource, **values))

    return change


def with_input(logical_name: str, kind: str, /, **inputs: object) -> Callable[[Graph], Graph]:
    return changing(logical_name, kind, inputs=lambda declared: {**one(declared, logical_name, kind).inputs, **inputs})


GONE = "$aws:s3/bucket:Bucket::data-bucket: is gone"
BREAKAGES: list[tuple[str, Callable[[Graph], Graph], str]] = [
    ("prod", changing("data", "Store", type="serverless-ml:aws:Bucket"), GONE),
    ("prod", changing("data-bucket", "Bucket", name="datasets-bucket"), GONE),
    ("prod", changing("data-bucket", "Bucket", parent=lambda declared: one(declared, "jobs", "aws:Queue").urn), GONE),
    ("prod", changing("data-bucket", "Bucket", parent=""), GONE),
    ("prod", lambda declared: declared.without("aws:s3/bucket:Bucket", "data-bucket"), GONE),
    ("prod", changing("data-bucket", "Bucket", protect=False), "data-bucket holds data: is protected no longer"),
    ("prod", with_input("data-bucket", "Bucket", bucket="data"), "bucket was None and is 'data': it would be replaced"),
    ("prod", with_input("jobs-queue", "Queue", fifoQueue=True), "fifoQueue was None and is True"),
    ("prod", with_input("api-http", "Api", protocolType="WEBSOCKET"), "protocolType was 'HTTP'"),
    ("prod", with_input("training-machine", "StateMachine", type=None), "type was 'STANDARD' and is None"),
    ("gcp-prod", changing("data", "Store", type="serverless-ml:gcp:Bucket"), "::data-bucket: is gone"),
    ("gcp-prod", with_input("data-bucket", "Bucket", location="EU"), "location was 'europe-west1' and is 'EU'"),
    ("gcp-prod", with_input("jobs-subscription", "Subscription", filter="x"), "jobs-subscription holds data: filter"),
    ("gcp-prod", with_input("api-caller", "Account", accountId="caller"), "api-caller is known outside: accountId"),
    ("gcp-prod", with_input("train-logs", "ProjectBucketConfig", location="global"), "train-logs holds logs: location"),
    ("gcp-prod", with_input("api-gateway", "Gateway", gatewayId="api"), "api-gateway is known outside: gatewayId"),
    ("gcp-prod", with_input("training-workflow", "Workflow", region="us-east1"), "training-workflow is known outside"),
]


@pytest.mark.parametrize(("stack", "change", "sentence"), BREAKAGES)
def test_what_would_be_lost_is_seen(stack: str, change: Callable[[Graph], Graph], sentence: str) -> None:
    broken = list(lost(read(stack), change(graph(stack))))
    assert any(sentence in loss for loss in broken), broken


CHANGES = """
## [Unreleased]
### Breaking
- The datasets of `prod` move: `{key}`, copy them first.
### Added
- `serverless-ml:aws:Store$aws:s3/bucket:Bucket::jobs-bucket`
"""


def test_what_a_changelog_names_as_breaking_is_given_up_and_nothing_else() -> None:
    data, jobs = (f"serverless-ml:aws:Store$aws:s3/bucket:Bucket::{name}-bucket" for name in ("data", "jobs"))
    broken = given_up(CHANGES.format(key=data))
    assert broken == {data}
    assert given_up("## [Unreleased]\n### Added\n- `a::b`\n") == frozenset()
    assert given_up("## [Unreleased]\n### Added\n- `a`\n## [1.0.0]\n### Breaking\n- `a::b`\n") == frozenset()
    less = graph("prod").without("aws:s3/bucket:Bucket", "data-bucket").without("aws:s3/bucket:Bucket", "jobs-bucket")
    assert [loss.partition(": is gone")[0] for loss in lost(read("prod"), less, broken)] == [jobs]
    assert set(read("prod")) - set(renewed(read("prod"), less, broken)) == {data}


def test_what_only_changes_in_place_is_no_loss() -> None:
    patient = with_input("jobs-queue", "Queue", messageRetentionSeconds=60)
    assert list(lost(read("prod"), patient(graph("prod")))) == []


def test_a_new_resource_is_no_loss_but_must_be_listed() -> None:
    declared = graph("prod")
    resource = one(declared, "data-bucket", "Bucket")
    more = declared.added(replace(resource, name="more-bucket", urn=f"{resource.urn}-more"))
    assert list(lost(read("prod"), more)) == []
    assert unlisted(read("prod"), more) == ["serverless-ml:aws:Store$aws:s3/bucket:Bucket::more-bucket"]


Aliases = Sequence[pulumi.Alias | str]
BEFORE = "test:index:Vault$aws:sqs/queue:Queue::data-queue"
STATE = "urn:pulumi:test::serverless-ml::"


class Vault(pulumi.ComponentResource):
    """A component with a queue, built as ours are."""

    def __init__(
        self, name: str, type_: str = "test:index:Vault", *, aliases: Aliases = (), of_queue: Aliases = ()
    ) -> None:
        super().__init__(type_, name, None, pulumi.ResourceOptions(aliases=list(aliases)))
        aws.sqs.Queue(f"{name}-queue", opts=pulumi.ResourceOptions(parent=self, aliases=list(of_queue)))


def keys(program: Callable[[], object]) -> set[str]:
    """Return every name that the queue of a program answers to."""
    declared = deploy(lambda: program() and None)
    return set(names(declared)[declared.one("aws:sqs/queue:Queue").urn])


@pytest.mark.parametrize(
    "program",
    [
        lambda: Vault("data"),
        lambda: Vault("datasets", aliases=[pulumi.Alias(name="data")]),
        lambda: Vault("data", "test:index:Store", aliases=[pulumi.Alias(type_="test:index:Vault")]),
        lambda: Vault("data", "test:index:Store", aliases=[f"{STATE}test:index:Vault::data"]),
        lambda: Vault("files", "test:a:B", aliases=[pulumi.Alias(name="data", type_="test:index:Vault")]),
    ],
)
def test_a_child_answers_to_the_names_that_its_component_had(program: Callable[[], object]) -> None:
    assert BEFORE in keys(program)


@pytest.mark.parametrize(
    ("alias", "key"),
    [
        (f"{STATE}{BEFORE}", BEFORE),
        (pulumi.Alias(name="data-queue", parent=f"{STATE}test:index:Vault::data"), BEFORE),
        (pulumi.Alias(name="data-queue", parent=None), "aws:sqs/queue:Queue::data-queue"),
        (pulumi.Alias(name="data-queue"), "test:index:Other$aws:sqs/queue:Queue::data-queue"),
    ],
)
def test_a_resource_answers_to_the_names_that_it_had_itself(alias: pulumi.Alias | str, key: str) -> None:
    assert keys(lambda: Vault("files", "test:index:Other", of_queue=[alias])) == {
        "test:index:Other$aws:sqs/queue:Queue::files-queue",
        key,
    }


def test_without_an_alias_nothing_answers_to_another_name() -> None:
    assert keys(lambda: Vault("files")) == {"test:index:Vault$aws:sqs/queue:Queue::files-queue"}
