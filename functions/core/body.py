"""A request's body as JSON, or a refusal that says why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions.core.problem import Fault, Problem, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 1_000_000
"""Bytes of a body that is answered at once; more belongs into a job."""


def read_json(body: bytes, headers: Mapping[str, str], *, at_most: int = LARGEST) -> Any:
    """The JSON value of a body. Raises `Problem` 400, 413 or 415."""
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Problem(
            415, "the body is compressed; accepted: no Content-Encoding", headers={"accept-encoding": "identity"}
        )
    if len(body) > at_most:
        raise Problem(413, f"the body has more than {at_most} bytes; send fewer rows, or a job")
    return parse_json(body)


def parse_json(body: bytes) -> Any:
    """Strict JSON: UTF-8, each name once in an object, no NaN and no Infinity. Raises `Problem` 400."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem(400, "the body is not UTF-8; accepted: a JSON object in UTF-8") from None
    try:
        value = json.loads(text, object_pairs_hook=_once_each, parse_constant=_refuse_constant)
        if "\\u" in text:
            # Escapes can spell half of a surrogate pair, which no UTF-8 answer could hold.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as problem:
        raise Problem(
            400, f"the body is not JSON: {problem.msg}, line {problem.lineno} column {problem.colno}"
        ) from None
    except RecursionError:
        raise Problem(400, "the body is nested too deep") from None
    except UnicodeEncodeError:
        raise Problem(400, "a text in the body holds half of a surrogate pair") from None
    except ValueError:
        raise Problem(400, "the body holds a number with too many digits") from None
    return value


def as_object(value: Any, example: str) -> dict[str, Any]:
    """The value, if it is a JSON object. Raises `Problem` 400."""
    if not isinstance(value, dict):
        raise Problem(400, f"the body is not a JSON object; accepted: {example}")
    return value


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise Problem(
            400, "a name stands twice in one object", faults=[Fault(field=shown(twice), message="stands twice")]
        )
    return found


def _refuse_constant(_: str) -> Any:
    raise Problem(400, "NaN and Infinity are not JSON; accepted: finite numbers")
