from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from infra.aws.access import UNSCOPABLE, document, everywhere, storage
from infra.aws.storage import Store
from infra.function_spec import writes
from infra.function_table import FUNCTIONS, named
from infra.keys import Access, Keys
from infra.vocabulary import Grant, StoreArgs
from tests.graph import deploy

BUCKET = "arn:aws:s3:::data-bucket-1a2b3c4"


def rendered(*grants: tuple[Access, tuple[str, ...]], every_model: bool = False) -> list[dict[str, Any]]:
    """Return the statements of grants, each of an access and prefixes, for the models a and b."""

    def program() -> dict[str, pulumi.Output[str]]:
        store = Store("data", StoreArgs())
        granted = [
            Grant(
                name=f"{access}-data",
                store=store,
                access=access,
                keys=Keys(models=("a", "b"), prefixes=prefixes),
                every_model=every_model,
            )
            for access, prefixes in grants
        ]
        return {"policy": document(storage(granted))}

    return json.loads(deploy(program).returned["policy"])["Statement"]


def test_reading_is_getting_below_the_prefixes_of_each_model_and_listing_them() -> None:
    keys = ["a/in/*", "a/live.json*", "b/in/*", "b/live.json*"]
    assert rendered((Access.READ, ("in/", "live.json"))) == [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{BUCKET}/{key}" for key in keys]},
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": [BUCKET],
            "Condition": {"StringLikeIfExists": {"s3:prefix": keys}},
        },
    ]


def test_writing_is_putting_below_the_prefixes_or_giving_up_and_nothing_else() -> None:
    assert rendered((Access.WRITE, ("out/",))) == [
        {
            "Effect": "Allow",
            "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
            "Resource": [f"{BUCKET}/a/out/*", f"{BUCKET}/b/out/*"],
        }
    ]


def test_where_every_model_is_meant_one_wildcard_stands_for_their_names() -> None:
    get, listing, put = rendered((Access.READ, ("in/",)), (Access.WRITE, ("",)), every_model=True)
    assert get["Resource"] == [f"{BUCKET}/*/in/*"]
    assert listing["Condition"] == {"StringLikeIfExists": {"s3:prefix": ["*/in/*"]}}
    assert put["Resource"] == [f"{BUCKET}/*/*"]


def test_no_grant_no_statement() -> None:
    assert rendered() == []


def test_a_function_that_may_remove_may_not_delete_what_brings_an_object_back() -> None:
    actions = {action for s in rendered(*((access, ("",)) for access in Access)) for action in s["Action"]}
    assert actions == {"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"}


def test_nothing_but_captures_is_removed_and_by_one_function_which_writes_there_too() -> None:
    removing = [(spec.name, need) for spec in FUNCTIONS for need in spec.needs if need.access is Access.REMOVE]
    assert [(name, need.store, need.prefixes) for name, need in removing] == [("watch", "captures", ("",))]
    assert writes("captures", "") in named("watch").needs


def test_only_what_cannot_be_scoped_is_granted_everywhere() -> None:
    assert everywhere("xray:PutTraceSegments") == {
        "Effect": "Allow",
        "Action": ["xray:PutTraceSegments"],
        "Resource": ["*"],
    }
    with pytest.raises(ValueError, match="s3:GetObject: name the resources"):
        everywhere("xray:PutTraceSegments", "s3:GetObject")


def test_every_unscopable_action_has_its_reason() -> None:
    assert all(reason for reason in UNSCOPABLE.values())
    assert not any("*" in action for action in UNSCOPABLE)
