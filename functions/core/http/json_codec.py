"""The JSON of requests and responses: read strictly, written without spaces.

orjson reads and writes, ten times faster than the standard library (docs/decisions/0010), as
soon as it pays: to import it takes longer than to read and write a first, small request by the
standard library. The standard library has the last word on whatever orjson refuses or cannot tell.
"""

from __future__ import annotations

import gc
import json
import math
import re
import sys
import threading
from typing import TYPE_CHECKING, Any

from functions.core.http.messages import JSON, Response, content_of, unreplaced
from functions.core.http.problem import Fault, Problem, shown
from interface.operations import REQUEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType


_NO_CONSTANTS = "NaN and Infinity are not JSON; accepted: finite numbers"
_HALF_A_PAIR = "a text in the body holds half of a surrogate pair"
_TOO_GREAT = "the body holds a number beyond what 64 bits can hold"
_TOO_DEEP = "the body is nested too deep"
EXAMPLE = '{"instances": [{feature: value, ...}, ...]}'
LONG = 50_000
"""Bytes of JSON that the standard library reads in the time that importing orjson takes."""
_settled = threading.Event()


def note_first_answer() -> None:
    """Use orjson from now on: this process has answered once, and will answer again."""
    _settled.set()


def orjson_pays(size: int = 0) -> bool:
    """Return whether `size` bytes of JSON are worth importing orjson.

    Always true after the first answer, or once it is imported.
    """
    return _settled.is_set() or size >= LONG or "orjson" in sys.modules


def load_orjson() -> ModuleType:
    """Import orjson, on first use."""
    import orjson  # noqa: PLC0415 - see above

    return orjson


_EXPONENT = re.compile(r"\de[+-]")
"""The exponent of a number. The two libraries spell it differently, and equal answers must be equal bytes."""
_SPACE = re.compile(r"[ \t\n\r]*")
_NOT_A_NUMBER = re.compile(r"-?(?:NaN|Infinity)")
_LOOKED_INTO = 64
_DEEPEST = 8
_CONTAINERS = frozenset({dict, list})
MOST_BRACKETS = 250_000
"""`[` and `{` in a body, those in texts included: a list takes ten times the memory of its two characters."""
MOST_COMMAS = 2_000_000
"""Commas in a body, those in texts included."""
_TOO_MANY = (
    f"the body holds more than {MOST_BRACKETS} lists and objects, or {MOST_COMMAS} values;"
    " send the values of a tensor flat, better as bytes, or a job"
)
_WALKED = 500_000
"""Bytes of the largest body whose names are counted object by object, and told where one stands twice."""


def read_json(body: bytes, headers: Mapping[str, str], *, at_most: int = REQUEST_BYTES) -> Any:
    """Return the JSON value of a body. Raise `Problem` 400, 413 or 415."""
    return parse_json(unreplaced(content_of(body, headers, at_most=at_most)))


def as_object(value: Any, example: str) -> dict[str, Any]:
    """Return the value if it is a JSON object. Raise `Problem` 400 for any other."""
    if not isinstance(value, dict):
        raise Problem(400, f"the body is not a JSON object; accepted: {example}")
    return value


def instances_of(body: Any) -> Any:
    """Return the rows in the body of a request. Raise `Problem` 400 where there are none, or anything else."""
    request = as_object(body, EXAMPLE)
    if "instances" not in request:
        raise Problem(400, f"the body is not {EXAMPLE}", faults=[Fault(field="instances", message="is missing")])
    if len(request) > 1:
        other = next(name for name in request if name != "instances")
        fault = Fault(field=shown(other), message=f"is not part of a request; accepted: {EXAMPLE}")
        raise Problem(400, "the body holds more than instances", faults=[fault])
    return request["instances"]


def parse_json(body: bytes) -> Any:
    """Read strict JSON: UTF-8, each name once in an object, no NaN and no Infinity. Raise `Problem` 400 or 413.

    The time is in proportion to the body, whatever it holds.
    """
    if not orjson_pays(len(body)):
        return _parse_strictly(body)
    orjson = load_orjson()
    if body.count(b"[") + body.count(b"{") > MOST_BRACKETS or body.count(b",") > MOST_COMMAS:
        raise _too_many(orjson, body)
    try:
        value = _load(orjson, body)
    except orjson.JSONDecodeError as problem:
        if len(body) < LONG:
            return _parse_strictly(body)
        raise _refused(body, problem) from None
    if _has_each_name_once(orjson, body, value):
        return value
    return _parse_strictly(body) if len(body) <= _WALKED else _refuse_twice(())


def _too_many(orjson: ModuleType, body: bytes) -> Problem:
    try:
        orjson.loads(body[:LONG])
    except orjson.JSONDecodeError as problem:
        if "depth limit" in problem.msg:
            return Problem(400, _TOO_DEEP)
    return Problem(413, _TOO_MANY)


def _load(orjson: ModuleType, body: bytes) -> Any:
    """Parse a body; a large one without the garbage collector, which looks again and again at what is being built."""
    if len(body) < LONG or not gc.isenabled():
        return orjson.loads(body)
    gc.disable()
    try:
        return orjson.loads(body)
    finally:
        gc.enable()


def _refused(body: bytes, problem: json.JSONDecodeError) -> Problem:
    """Return the refusal of a large body by what orjson says of it: the standard library would take much longer."""
    text = text_of(body)
    for part, reason in (("depth limit", _TOO_DEEP), ("surrogate", _HALF_A_PAIR), ("infinity", _TOO_GREAT)):
        if part in problem.msg:
            return Problem(400, reason)
    if _NOT_A_NUMBER.match(text, problem.pos):
        return Problem(400, _NO_CONSTANTS)
    return not_json(text, problem.pos, problem.msg)


def text_of(body: bytes) -> str:
    """Return the body as text. Raise `Problem` 400 where it is not UTF-8."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem(400, "the body is not UTF-8; accepted: a JSON object in UTF-8") from None


def value_at(text: str, at: int) -> tuple[Any, int]:
    """Return the strict JSON value that begins at `at`, and the position of its end. Raise `Problem` 400."""
    try:
        value, end = _DECODER.raw_decode(text, at)
        if text.find("\\u", at, end) >= 0:
            # Escapes can spell half of a surrogate pair, which no UTF-8 answer could hold.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as problem:
        raise not_json(text, problem.pos, problem.msg) from None
    except RecursionError:
        raise Problem(400, _TOO_DEEP) from None
    except UnicodeEncodeError:
        raise Problem(400, _HALF_A_PAIR) from None
    except ValueError:
        raise Problem(400, "the body holds a number with too many digits") from None
    return value, end


def not_json(text: str, at: int, message: str) -> Problem:
    """Return the refusal of a text that stops being JSON at the position `at`."""
    where = json.JSONDecodeError(message, text, at)
    return Problem(400, f"the body is not JSON: {message}, line {where.lineno} column {where.colno}")


def skip_whitespace(text: str, at: int) -> int:
    """Return the position of the first character at or after `at` that is no white space."""
    match = _SPACE.match(text, at)
    return at if match is None else match.end()


def dump_json(value: Any, *, alike: bool = True) -> bytes:
    """Write JSON without spaces. NaN and infinity become null; a value that JSON does not know becomes its text.

    `alike`: equal values are equal bytes, whichever library writes them, which a log does without.
    """
    if not orjson_pays():
        try:
            text = json.dumps(value, default=str, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
            if not alike or not _EXPONENT.search(text):
                return text.encode()
        except ValueError:
            pass  # NaN, infinity, or no Unicode
    orjson = load_orjson()
    try:
        return orjson.dumps(value, default=str)
    except orjson.JSONEncodeError:
        # Half of a surrogate pair, which a gateway's own JSON may have spelt: escaped, it can be written.
        return json.dumps(value, default=str, separators=(",", ":")).encode()


def respond(value: object, status: int = 200, headers: Mapping[str, str] | None = None, kind: str = JSON) -> Response:
    """Return a response whose body is `value` as JSON, written by `dump_json`."""
    return Response(status=status, body=dump_json(value), headers={"content-type": kind, **(headers or {})})


def _parse_strictly(body: bytes) -> Any:
    text = text_of(body)
    value, end = value_at(text, skip_whitespace(text, 0))
    rest = skip_whitespace(text, end)
    if rest < len(text):
        raise not_json(text, rest, "Extra data")
    return value


def _has_each_name_once(orjson: ModuleType, body: bytes, value: Any) -> bool:
    """Return whether no object names a member twice: orjson keeps the last of equal names.

    A colon follows every name: where there are as many colons as names, no name was lost. Where texts have
    colons too, the value is written again, with all that was kept: then a colon less is a name lost.
    """
    colons = body.count(b":")
    if colons == _names(value, _DEEPEST if len(body) <= _WALKED else 0):
        return True
    if b"\\u003" in body:  # a colon may be spelt \u003a
        spelt = body.replace(b"\\\\", b"")
        colons += spelt.count(b"\\u003a") + spelt.count(b"\\u003A")
    try:
        return orjson.dumps(value).count(b":") == colons
    except orjson.JSONEncodeError:  # it writes less deep than it reads
        raise Problem(400, _TOO_DEEP) from None


def _names(value: Any, depth: int) -> int:
    """Count the names of all objects in a value, as deep and as far as objects stand in a request."""
    if type(value) is dict:
        names, inner = len(value), value.values() if depth else ()
    elif type(value) is not list or not value or not depth:
        return 0
    elif len(value) <= _LOOKED_INTO or type(value[0]) is list:
        names, inner = 0, value
    else:
        return sum([len(element) for element in value if type(element) is dict])
    for element in inner:
        kind = type(element)
        if kind is dict or (kind is list and element and type(element[0]) in _CONTAINERS):
            names += _names(element, depth - 1)
    return names


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    return members if len(members) == len(pairs) else _refuse_twice(pairs)


def _refuse_twice(pairs: Sequence[tuple[str, Any]]) -> Any:
    """Raise `Problem` 400 that names the first of these names that stands twice; none where they are not known."""
    seen: set[str] = set()
    faults = []
    for name, _ in pairs:
        if name in seen:
            faults.append(Fault(field=shown(name), message="stands twice"))
            break
        seen.add(name)
    raise Problem(400, "a name stands twice in one object", faults=faults)


def _whole(text: str) -> int | float:
    """Return a whole number as orjson does: one that 64 bits cannot hold becomes the nearest float."""
    number = int(text)
    if -(2**63) <= number < 2**64:
        return number
    try:
        return float(number)
    except OverflowError:
        return number  # refused by the feature it is meant for, which is named then


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise Problem(400, _TOO_GREAT)
    return number


def _refuse_constant(_: str) -> Any:
    raise Problem(400, _NO_CONSTANTS)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once_each, parse_int=_whole, parse_float=_finite, parse_constant=_refuse_constant
)
