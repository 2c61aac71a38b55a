"""What a stack that is up does when something of it changes, on purpose or not: the change, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from localcloud.gcp.iam.bindings import Binding
from tests.engine.embedded import STACKS, Embedded, embedded
from tests.engine.project import Project

pytestmark = pytest.mark.integration
READERS = ("prepare", "train", "select", "rollout", "watch")
"""The functions whose archives hold `model.yaml` of a model that is trained."""
RELEASING = ("rollout", "supervise")
"""The functions whose archives hold what judges a release."""
LOGS = ("api", "jobs", "predict", "prepare", "rollout", "select", "supervise", "tally", "train", "training", "watch")


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
            "aws": {
                "replace": names("{}-code", of=RELEASING),
                "update": names("{}-function", "{}-alias", of=RELEASING),
            },
            "gcp": {"replace": names("{}-code", of=RELEASING), "update": names("{}-function", of=RELEASING)},
        },
    ),
    "a model's file": Change(
        path="models/breast_cancer/model.yaml",
        before="name: breast_cancer",
        after="name: breast_cancer # edited",
        touched={
            "aws": {"replace": names("{}-code", of=READERS), "update": names("{}-function", "{}-alias", of=READERS)},
            "gcp": {"replace": names("{}-code", of=READERS), "update": names("{}-function", of=READERS)},
        },
    ),
    "a grant": Change(
        path="infra/function_table.py",
        before='layout.LIVE),\n            reads("captures", ""),\n',
        after='layout.LIVE),\n            reads("captures", ""),\n            reads("data", layout.DATASETS),\n',
        touched={
            "aws": {"update": names("rollout-policy")},
            "gcp": {"create": names("rollout-read-data-{}", of=("breast_cancer", "file_type"))},
        },
    ),
}

PAIRS = (("a setting", "a model's file"), ("a grant", "a function's code"))
"""Changes of which no resource feels more than one: a deployment takes half a minute."""
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


@pytest.mark.parametrize("together", PAIRS, ids=" and ".join)
def test_changes_touch_what_they_are_about_and_the_preview_says_so(stack: Embedded, together: tuple[str, str]) -> None:
    touched: dict[str, set[str]] = {}
    for change in map(CHANGES.__getitem__, together):
        stack.project.edit(change.path.format(stack=STACKS[stack.name]), change.before, change.after)
        for operation, resources in change.touched[stack.name].items():
            assert touched.setdefault(operation, set()).isdisjoint(resources), "which of them it was could not be told"
            touched[operation] |= resources
    up = stack.deploy()
    assert {operation: up.names(operation) for operation in up.counts} == touched


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


def test_what_a_person_adds_to_a_policy_stays_on_gcp_and_on_aws_until_a_refresh_finds_it(stack: Embedded) -> None:
    session, bucket = stack.cloud.session, urlsplit(stack.outputs()["data_url"]).netloc
    if stack.name == "gcp":
        person = Binding(
            resource=f"projects/_/buckets/{bucket}", role="roles/storage.objectViewer", member="user:ada@example.com"
        )
        session.bindings.add(person)
        stack.project.deploying("refresh", "--expect-no-changes")
        stack.project.deploying("up")
        assert session.bindings.has(person)
        session.bindings.remove(person)
        return
    s3 = session.client("s3")
    before = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    person = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::000000000000:user/ada"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    edited = {**before, "Statement": [*before["Statement"], person]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(edited))
    assert stack.project.deploying("up").steps == {}
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == edited
    found = stack.project.deploying("refresh").names("update")
    assert len(found) == 1
    assert stack.project.deploying("up").names("update") == found
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == before


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
