from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from infra.aws.access import UNSCOPABLE, document, everywhere, storage
from infra.aws.storage import Store
from infra.vocabulary import Access, Grant, StoreArgs
from tests.graph import deploy
from tests.infra.aws.whole import whole

BUCKET = "arn:aws:s3:::data-bucket-1a2b3c4"


def rendered(*grants: tuple[Access, tuple[str, ...]]) -> list[dict[str, Any]]:
    def program() -> dict[str, pulumi.Output[str]]:
        store = Store("data", StoreArgs())
        granted = [Grant(store=store, access=access, prefixes=prefixes) for access, prefixes in grants]
        return {"policy": document(storage(granted))}

    return json.loads(deploy(program).returned["policy"])["Statement"]


def test_reading_is_getting_below_the_prefixes_and_listing_them() -> None:
    assert rendered((Access.READ, ("a/in/", "b/live.json"))) == [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{BUCKET}/a/in/*", f"{BUCKET}/b/live.json*"]},
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": [BUCKET],
            "Condition": {"StringLikeIfExists": {"s3:prefix": ["a/in/*", "b/live.json*"]}},
        },
    ]


def test_writing_is_putting_below_the_prefixes_or_giving_up_and_nothing_else() -> None:
    assert rendered((Access.WRITE, ("out/",))) == [
        {"Effect": "Allow", "Action": ["s3:PutObject", "s3:AbortMultipartUpload"], "Resource": [f"{BUCKET}/out/*"]}
    ]


def test_a_grant_on_the_whole_store_lists_all_of_it() -> None:
    get, listing = rendered((Access.READ, ("",)))
    assert get["Resource"] == [f"{BUCKET}/*"]
    assert listing == {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [BUCKET]}


def test_no_grant_no_statement() -> None:
    assert rendered() == []


def test_nothing_lets_a_function_delete() -> None:
    actions = {action for s in rendered(*((access, ("",)) for access in Access)) for action in s["Action"]}
    assert actions == {"s3:AbortMultipartUpload", "s3:GetObject", "s3:ListBucket", "s3:PutObject"}


def test_only_what_cannot_be_scoped_is_granted_everywhere() -> None:
    assert everywhere("xray:PutTraceSegments") == {
        "Effect": "Allow",
        "Action": ["xray:PutTraceSegments"],
        "Resource": ["*"],
    }
    with pytest.raises(ValueError, match="s3:GetObject: name the resources"):
        everywhere("xray:PutTraceSegments", "s3:GetObject")


def test_more_models_than_a_role_can_name_are_refused_with_what_to_do() -> None:
    with pytest.raises(pulumi.RunError, match=r"characters; IAM accepts 10,240\. Give the stack fewer models"):
        whole(models=[f"breast_cancer{number}" for number in range(20)])
    assert len(whole(models=[f"breast_cancer{number}" for number in range(10)]).resources) > 0


def test_every_unscopable_action_has_its_reason() -> None:
    assert all(reason for reason in UNSCOPABLE.values())
    assert not any("*" in action for action in UNSCOPABLE)
