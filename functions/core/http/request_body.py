"""Read a request body as strict JSON, or refuse it with the reason.

orjson reads ten times faster than the standard library (docs/decisions/0010). What orjson
refuses, or cannot prove to be strict, the standard library reads again and decides.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from functions.core.http import json_codec
from functions.core.http.problem import Fault, Problem, shown
from interface.operations import REQUEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPACE_BEFORE_COLON = re.compile(rb'"[ \t\r\n]+:')
_LONGEST_SEARCHED = 64
_DEEPEST_SEARCHED = 8
"""A list of more elements, and a value nested deeper, is searched for names only in part."""
_CONTAINERS = frozenset({dict, list})


def check_size(body: bytes, headers: Mapping[str, str], *, at_most: int = REQUEST_BYTES) -> None:
    """Raise `Problem` 413 when the body has more than `at_most` bytes, 415 when it is compressed."""
    encoding = headers.get("content-encoding")
    if encoding is not None and encoding.strip().lower() not in ("", "identity"):
        raise Problem(
            415, "the body is compressed; accepted: no Content-Encoding", headers={"accept-encoding": "identity"}
        )
    if len(body) > at_most:
        raise Problem(413, f"the body has more than {at_most} bytes; send fewer rows, or a job")


def read_json(body: bytes, headers: Mapping[str, str], *, at_most: int = REQUEST_BYTES) -> Any:
    """Return the JSON value of a body. Raises `Problem` 400, 413 or 415."""
    check_size(body, headers, at_most=at_most)
    return parse_json(body)


def parse_json(body: bytes) -> Any:
    """Read strict JSON: UTF-8, each name once in an object, no NaN and no Infinity. Raises `Problem` 400."""
    if not json_codec.orjson_pays(len(body)):
        return _parse_strictly(body)
    orjson = json_codec.load_orjson()
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _parse_strictly(body)
    return value if _has_each_name_once(body, value) else _parse_strictly(body)


def text_of(body: bytes) -> str:
    """Decode a body. Raises `Problem` 400 when it is not UTF-8."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem(400, "the body is not UTF-8; accepted: a JSON object in UTF-8") from None


def value_at(text: str, at: int) -> tuple[Any, int]:
    """Return the strict JSON value that begins at index `at`, and the index at which it ends. Raises `Problem` 400."""
    try:
        value, end = _DECODER.raw_decode(text, at)
        if text.find("\\u", at, end) >= 0:
            # An escape can stand for half of a surrogate pair, which no response in UTF-8 could contain.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as problem:
        raise not_json(text, problem.pos, problem.msg) from None
    except RecursionError:
        raise Problem(400, "the body is nested too deep") from None
    except UnicodeEncodeError:
        raise Problem(400, "a text in the body holds half of a surrogate pair") from None
    except ValueError:
        raise Problem(400, "the body holds a number with too many digits") from None
    return value, end


def not_json(text: str, at: int, message: str) -> Problem:
    """Return the `Problem` 400 for a text that stops being JSON at index `at`, with line and column."""
    error = json.JSONDecodeError(message, text, at)
    return Problem(400, f"the body is not JSON: {message}, line {error.lineno} column {error.colno}")


def skip_whitespace(text: str, at: int) -> int:
    """Return the index of the first character from `at` on that is not JSON whitespace."""
    while text[at : at + 1] in _WHITESPACE:
        at += 1
    return at


def as_object(value: Any, example: str) -> dict[str, Any]:
    """Return the value if it is a JSON object. Raises `Problem` 400, which shows the `example`, for any other."""
    if not isinstance(value, dict):
        raise Problem(400, f"the body is not a JSON object; accepted: {example}")
    return value


def _parse_strictly(body: bytes) -> Any:
    text = text_of(body)
    value, end = value_at(text, skip_whitespace(text, 0))
    rest = skip_whitespace(text, end)
    if rest < len(text):
        raise not_json(text, rest, "Extra data")
    return value


def _has_each_name_once(body: bytes, value: Any) -> bool:
    """Return whether no object in the body repeats a name; False when in doubt.

    orjson keeps the last of equal names, but every name is followed by a colon. When the body
    has as many colons as the parsed objects have names, no name was dropped. Colons inside
    strings are told apart as long as no space stands between a name and its colon.
    """
    names = _names(value, _DEEPEST_SEARCHED) if type(value) in _CONTAINERS else 0
    if body.count(b":") == names:
        return True
    return body.count(b'":') == names and not _SPACE_BEFORE_COLON.search(body)


def _names(value: Any, depth: int) -> int:
    """Count the names of all objects in `value`; of long lists and deep nesting, only some."""
    if type(value) is dict:
        names, inner = len(value), value.values()
    elif len(value) <= _LONGEST_SEARCHED or type(value[0]) is list:
        names, inner = 0, value
    else:
        return sum([len(element) for element in value if type(element) is dict])
    for element in inner:
        kind = type(element)
        if kind is dict or (kind is list and element and type(element[0]) in _CONTAINERS):
            names += _names(element, depth - 1) if depth else 0
    return names


def _object_of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in members if names.count(name) > 1)
        raise Problem(
            400, "a name stands twice in one object", faults=[Fault(field=shown(repeated), message="stands twice")]
        )
    return members


def _parse_int(text: str) -> int | float:
    """Read a whole number as orjson does: one beyond 64 bits becomes the nearest float."""
    number = int(text)
    if -(2**63) <= number < 2**64:
        return number
    try:
        return float(number)
    except OverflowError:
        return number  # every feature refuses it, and names itself in the message


def _parse_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise Problem(400, "the body holds a number beyond what 64 bits can hold")
    return number


def _refuse_constant(_: str) -> Any:
    raise Problem(400, "NaN and Infinity are not JSON; accepted: finite numbers")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object_of_pairs, parse_int=_parse_int, parse_float=_parse_float, parse_constant=_refuse_constant
)
_WHITESPACE = (" ", "\t", "\n", "\r")
