from __future__ import annotations

import re

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.gcp.access import LONGEST_TITLE, PREFIXES_AT_ONCE, allow_storage, bindings, title
from infra.gcp.storage import Store
from infra.keys import Access, Keys, below
from infra.vocabulary import Grant, StoreArgs
from localcloud.gcp.iam.condition import RequestAttributes, condition
from tests.graph import Graph, deploy

MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
NAMES = r'projects/_/buckets/data-bucket-1a2b3c4/objects/([^"]*)"'
prefixes = st.lists(st.from_regex(r"[a-z0-9_./-]{1,12}", fullmatch=True), min_size=1, max_size=30, unique=True)


class Somewhere:
    """A store whose name nobody needs to know."""

    ref: pulumi.Output[str]
    name: pulumi.Output[str]
    url: pulumi.Output[str]


def granted(*grants: tuple[Access, tuple[str, ...]], models: tuple[str, ...] = ("a",)) -> Graph:
    def program() -> None:
        import pulumi_gcp as gcp

        store = Store("data", StoreArgs())
        identity = gcp.serviceaccount.Account("reader")
        all_grants = [
            Grant(name=f"{access}-data", store=store, access=access, keys=Keys(models=models, prefixes=of))
            for access, of in grants
        ]
        allow_storage("reader", identity, all_grants, pulumi.ResourceOptions(parent=store))

    return deploy(program)


def expression(graph: Graph) -> str:
    return graph.one(MEMBER).inputs["condition"]["expression"]


def test_reading_is_getting_and_listing_below_the_prefix() -> None:
    graph = granted((Access.READ, ("in/",)))
    assert graph.one(MEMBER).inputs["role"] == "roles/storage.objectViewer"
    assert expression(graph).split(" || ") == [
        'resource.name.startsWith("projects/_/buckets/data-bucket-1a2b3c4/objects/a/in/")',
        '(resource.type == "storage.googleapis.com/Bucket" &&'
        ' (api.getAttribute("storage.googleapis.com/objectListPrefix", "a/in/").startsWith("a/in/")))',
    ]


BUCKET = "projects/_/buckets/data-bucket-1a2b3c4"


@pytest.mark.parametrize(
    ("request_", "allowed"),
    [
        (RequestAttributes(name=f"{BUCKET}/objects/a/in/x"), True),
        (RequestAttributes(name=f"{BUCKET}/objects/a/into/x"), True),
        (RequestAttributes(name=BUCKET, list_prefix="a/in/"), True),
        (RequestAttributes(name=BUCKET, list_prefix="a/into/deeper/"), True),
        (RequestAttributes(name=BUCKET), True),
        (RequestAttributes(name=f"{BUCKET}/objects/a/out/x"), False),
        (RequestAttributes(name=f"{BUCKET}/objects/x"), False),
        (RequestAttributes(name=f"{BUCKET}/objects/b/in/x"), False),
        (RequestAttributes(name=f"{BUCKET}/objects/a/b/in/x"), False),
        (RequestAttributes(name=BUCKET, list_prefix=""), False),
        (RequestAttributes(name=BUCKET, list_prefix="a/"), False),
    ],
)
def test_a_reader_learns_that_an_object_is_missing_and_nothing_of_other_objects(
    request_: RequestAttributes, allowed: bool
) -> None:
    assert condition(expression(granted((Access.READ, ("in/", "into/")))))(request_) is allowed


def test_writing_neither_reads_nor_lists() -> None:
    graph = granted((Access.WRITE, ("out/",)))
    assert graph.one(MEMBER).inputs["role"] == "roles/storage.legacyBucketWriter"
    assert expression(graph) == 'resource.name.startsWith("projects/_/buckets/data-bucket-1a2b3c4/objects/a/out/")'


def test_a_grant_of_everything_of_a_model_still_holds_for_its_objects_alone() -> None:
    graph = granted((Access.WRITE, ("",)))
    assert expression(graph) == 'resource.name.startsWith("projects/_/buckets/data-bucket-1a2b3c4/objects/a/")'


def test_the_account_is_named_and_nobody_else() -> None:
    graph = granted((Access.READ, ("in/",)), (Access.WRITE, ("in/",)))
    members = {resource.inputs["member"] for resource in graph.of(MEMBER)}
    assert members == {"serviceAccount:reader-1a2b3c4@test-project.iam.gserviceaccount.com"}
    assert {resource.inputs["bucket"] for resource in graph.of(MEMBER)} == {"data-bucket-1a2b3c4"}


@pytest.mark.parametrize("prefix", ['a" || true || "', "a\\", "a\n", "a/*", "é"])
def test_a_prefix_that_could_end_the_text_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="letters, digits and"):
        granted((Access.READ, (prefix,)))


def test_no_condition_is_too_long() -> None:
    graph = granted((Access.READ, tuple(f"part-{number:02}/" for number in range(PREFIXES_AT_ONCE * 2 + 1))))
    expressions = {resource.name: resource.inputs["condition"]["expression"] for resource in graph.of(MEMBER)}
    assert {name: text.count(" || ") + text.count(" && ") for name, text in expressions.items()} == {
        "reader-read-data-a": 12,
        "reader-read-data-a-part-06": 12,
        "reader-read-data-a-part-12": 2,
    }


@settings(deadline=None)
@given(prefixes, st.sampled_from([Access.READ, Access.WRITE]))
def test_every_prefix_is_granted_once(names: list[str], access: Access) -> None:
    keys = Keys(models=("a", "b"), prefixes=tuple(names))
    result = bindings([Grant(name="read-data", store=Somewhere(), access=access, keys=keys)])
    assert [prefix for binding in result for prefix in binding.prefixes] == list(below(keys))
    assert {binding.access for binding in result} == {access}
    assert max(len(binding.prefixes) for binding in result) <= PREFIXES_AT_ONCE


def test_what_is_granted_reads_back_from_the_condition() -> None:
    graph = granted((Access.READ, ("in/", "into/")))
    assert re.findall(NAMES, expression(graph)) == ["a/in/", "a/into/"]


def test_a_binding_and_its_condition_are_called_after_what_they_are_for() -> None:
    graph = granted((Access.WRITE, ("in/",)), (Access.READ, ("in/",)), models=("fraud", "fraud_eu"))
    names = {resource.name: resource.inputs["condition"]["title"] for resource in graph.of(MEMBER)}
    assert names == {
        name: name for name in (f"reader-{way}-data-{m}" for way in ("read", "write") for m in ("fraud", "fraud_eu"))
    }


def test_who_writes_may_remove_already() -> None:
    both = granted((Access.WRITE, ("",)), (Access.REMOVE, ("",)))
    assert len(both.of(MEMBER)) == len(granted((Access.WRITE, ("",))).of(MEMBER)) > 0


def test_the_title_of_a_condition_is_short_enough_and_still_its_own() -> None:
    names = [f"predict-{'m' * 24}-write-captures-{'m' * 47}{letter}-notes" for letter in "ab"]
    titles = {title(name) for name in names}
    assert len(titles) == 2
    assert {len(each) for each in titles} == {LONGEST_TITLE}
