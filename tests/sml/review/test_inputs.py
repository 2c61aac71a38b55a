from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from sml.review.inputs import ABSENT, edits
from sml.review.shown import EDITS, LONGEST, shown_edits


def found(before: object, after: object) -> list[tuple[str, object, object]]:
    return [(edit.path, edit.before, edit.after) for edit in edits(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, [("b", 2, 3)]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, [("a.b.c", 1, 2)]),
        ({"a": 1}, {}, [("a", 1, ABSENT)]),
        ({}, {"a": None}, [("a", ABSENT, None)]),
        ({"a": True}, {"a": 1}, [("a", True, 1)]),
        ({"a": [1, 2, 3]}, {"a": [3, 4, 1]}, [("a[]", 2, ABSENT), ("a[]", ABSENT, 4)]),
        ({"a": [1, 1]}, {"a": [1]}, [("a[]", 1, ABSENT)]),
        ({"a": [1, 2]}, {"a": [2, 1]}, [("a (their order)", [1, 2], [2, 1])]),
        ({"a": "x"}, {"a": ["x"]}, [("a", "x", ["x"])]),
        ({"a": {}}, {"a": {}}, []),
        ({}, {"a": {"b": 1, "c": {"d": 2}}}, [("a.b", ABSENT, 1), ("a.c.d", ABSENT, 2)]),
        ({"a": {"b": 1}}, {}, [("a.b", 1, ABSENT)]),
        ({}, {"a": {}}, [("a", ABSENT, {})]),
    ],
)
def test_only_what_differs_is_told_down_to_the_smallest_part(
    before: object, after: object, expected: list[tuple[str, object, object]]
) -> None:
    assert found(before, after) == expected


def policy(*resources: str, action: str = "s3:GetObject") -> dict[str, Any]:
    statements = [
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": ["all"]},
        {"Effect": "Allow", "Action": [action], "Resource": list(resources)},
    ]
    return {"policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


def test_a_grant_is_the_line_of_its_statement_that_differs() -> None:
    assert found(policy("models/a"), policy("models/a", "models/b")) == [
        ("policy.Statement[1].Resource[]", ABSENT, "models/b")
    ]


def test_a_statement_that_is_another_one_altogether_is_gone_and_new() -> None:
    ((_, before, _), (_, _, after)) = found(policy("a"), policy("b", action="s3:PutObject"))
    assert (before, after) == (
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["a"]},
        {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": ["b"]},
    )


def test_an_object_within_an_element_of_a_list_is_told_by_the_part_that_differs() -> None:
    before, after = ({"a": [{"code": {"text": f"x{number}", "name": "n"}}]} for number in (1, 2))
    assert found(before, after) == [("a[0].code.text", "x1", "x2")]


def test_a_document_in_base64_is_read() -> None:
    before, after = (base64.b64encode(json.dumps({"paths": {"/a": n}}).encode()).decode() for n in (1, 2))
    assert found({"contents": before}, {"contents": after}) == [("contents.paths./a", 1, 2)]


def lines(before: object, after: object) -> list[str]:
    return ["".join(line) for line in shown_edits(edits(before, after))]


def test_what_names_a_file_by_its_content_is_not_read_by_people() -> None:
    before = {"key": f"predict/{'a' * 64}.zip", "hash": "x" * 43 + "=", "memory": 1}
    after = {"key": f"predict/{'b' * 64}.zip", "hash": "y" * 43 + "=", "memory": 2}
    assert lines(before, after) == ["hash: other content", "key: other content", "memory 1 -> 2"]
    assert lines({"key": f"a/{'a' * 64}"}, {"key": f"b/{'b' * 64}"}) == [f"key a/{'a' * 64} -> b/{'b' * 64}"]


@pytest.mark.parametrize("name", ["webhook_secret", "WEBHOOK_SECRET", "apiToken", "password", "private_key"])
def test_a_value_whose_name_says_that_it_is_secret_is_not_shown(name: str) -> None:
    assert lines({"variables": {name: "hidden-1"}}, {"variables": {name: "hidden-2"}}) == [
        f"variables.{name} differs, and is not shown"
    ]
    assert lines({}, {name: "hidden-2"}) == [f"{name} differs, and is not shown"]


def test_of_two_long_texts_the_part_is_shown_that_differs() -> None:
    (line,) = lines({"code": "a" * 500 + "ONE" + "b" * 500}, {"code": "a" * 500 + "ANOTHER" + "b" * 500})
    assert line == f"code …{'a' * 24}ONE{'b' * 24}… -> …{'a' * 24}ANOTHER{'b' * 24}…"
    (line,) = lines({"code": ""}, {"code": "c" * 500})
    assert len(line) < LONGEST + 30


def test_of_very_many_edits_the_first_are_shown_and_the_others_are_counted() -> None:
    shown = lines({}, {f"a{number:03}": number for number in range(100)})
    assert len(shown) == EDITS + 1
    assert shown[-1] == f"and {100 - EDITS} more"
