from __future__ import annotations

from infra.aws.storage import Store
from infra.keep import Keep
from infra.vocabulary import StoreArgs
from tests.graph import Graph, deploy
from tests.infra.aws import whole as w


def deployed(args: StoreArgs) -> Graph:
    return deploy(lambda: {"url": Store("data", args).url})


def test_a_protected_store_refuses_to_be_destroyed_and_keeps_its_objects() -> None:
    bucket = deployed(StoreArgs(keep=Keep.PROTECTED)).one(w.BUCKET)
    assert (bucket.protect, bucket.inputs["forceDestroy"]) == (True, False)


def test_any_other_store_goes_with_its_objects() -> None:
    bucket = deployed(StoreArgs()).one(w.BUCKET)
    assert (bucket.protect, bucket.inputs["forceDestroy"]) == (False, True)


def test_only_a_store_that_announces_sends_to_the_event_bus() -> None:
    assert deployed(StoreArgs(keep=Keep.PROTECTED)).of(w.NOTIFICATION) == ()
    assert deployed(StoreArgs(keep=Keep.PROTECTED, announces=True)).one(w.NOTIFICATION).inputs["eventbridge"] is True


def test_objects_expire_by_prefix() -> None:
    rules = deployed(StoreArgs(keep=Keep.PROTECTED, expire_days={"": 90, "tmp/": 1})).one(w.LIFECYCLE).inputs["rules"]
    assert [(rule["id"], rule["filter"]["prefix"], rule["expiration"]["days"]) for rule in rules[1:]] == [
        ("expire-all", "", 90),
        ("expire-tmp/", "tmp/", 1),
    ]


def test_old_versions_go_only_once_versioning_is_on() -> None:
    graph = deployed(StoreArgs(keep=Keep.PROTECTED))
    assert graph.one(w.VERSIONING).urn in graph.one(w.LIFECYCLE).dependencies


def test_the_url_opens_the_bucket() -> None:
    assert deployed(StoreArgs(keep=Keep.PROTECTED)).returned == {"url": "s3://data-bucket-1a2b3c4"}
