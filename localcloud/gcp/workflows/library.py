"""The functions of the standard library that expressions may call.

https://cloud.google.com/workflows/docs/reference/stdlib/overview. A document that calls one
which is missing here is refused when it is deployed.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json
import math
import time
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.gcp.workflows.errors import error
from localcloud.gcp.workflows.operators import boolean, is_number, type_of

UNSET: Any = object()


def functions(env: Mapping[str, str], now: Callable[[], float] = time.time) -> dict[str, Callable[..., Any]]:
    """Return every function by name, for an execution with the environment variables `env`."""

    def get_env(name: Any, default: Any = UNSET) -> Any:
        if _text("sys.get_env", name) in env:
            return env[name]
        if default is UNSET:
            raise error("KeyError", f"environment variable not found: {name}")
        return default

    return {**PURE, "sys.get_env": get_env, "sys.now": now, "uuid.generate": lambda: str(uuid.uuid4())}


def _text(name: str, value: Any) -> str:
    return _of(name, value, str)


def _of(name: str, value: Any, *kinds: type) -> Any:
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise error("TypeError", f"{name}: a {type_of(value)} is not accepted")
    return value


def _double(value: Any) -> float:
    try:
        return float(_of("double", value, int, float, str))
    except ValueError:
        raise error("ValueError", f"double: cannot convert {value!r}") from None


def _integer(value: Any) -> int:
    try:
        return int(_of("int", value, int, float, str))
    except (ValueError, OverflowError):
        raise error("ValueError", f"int: cannot convert {value!r}") from None


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(_of("string", value, int, float, bool))


def _length(value: Any) -> int:
    return len(_of("len", value, str, list, dict, bytes))


def _keys(value: Any) -> list[str]:
    return list(_of("keys", value, dict))


def _choice(condition: Any, yes: Any, no: Any) -> Any:
    return yes if boolean("if", condition) else no


def _map_get(of: Any, keys: Any) -> Any:
    for key in _of("map.get", keys, list) if isinstance(keys, list) else [_text("map.get", keys)]:
        if not isinstance(of, dict) or key not in of:
            return None
        of = of[key]
    return of


def _map_delete(of: Any, key: Any) -> dict[str, Any]:
    if key not in _of("map.delete", of, dict):
        raise error("KeyError", f"key not found: {key}")
    return {name: value for name, value in of.items() if name != key}


def _map_merge(first: Any, second: Any) -> dict[str, Any]:
    return {**_of("map.merge", first, dict), **_of("map.merge", second, dict)}


def _json_text(value: Any) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        raise error("ValueError", "json: the value cannot be written as JSON") from None


def _json_decode(value: Any) -> Any:
    try:
        return json.loads(_of("json.decode", value, str, bytes))
    except ValueError:
        raise error("ValueError", "json.decode: the text is not JSON") from None


def _base64_decode(value: Any) -> bytes:
    try:
        return base64.b64decode(_text("base64.decode", value), validate=True)
    except binascii.Error:
        raise error("ValueError", "base64.decode: the text is not base64") from None


def _text_decode(value: Any) -> str:
    try:
        return _of("text.decode", value, bytes).decode()
    except UnicodeDecodeError:
        raise error("ValueError", "text.decode: the bytes are not UTF-8") from None


def _find_all(source: Any, sought: Any) -> list[int]:
    text, part = _text("text.find_all", source), _text("text.find_all", sought)
    positions, at = [], text.find(part)
    while part and at >= 0:
        positions.append(at)
        at = text.find(part, at + len(part))
    return positions


def _substring(source: Any, start: Any, end: Any) -> str:
    text, first, last = (
        _text("text.substring", source),
        _of("text.substring", start, int),
        _of("text.substring", end, int),
    )
    if not 0 <= first <= last <= len(text):
        raise error("IndexError", f"text.substring: {first} to {last} is outside of 0 to {len(text)}")
    return text[first:last]


def _time_format(seconds: Any, zone: Any = "UTC") -> str:
    if zone != "UTC":
        raise error("ValueError", f"time.format: time zone {zone} is not known here; accepted: UTC")
    moment = datetime.datetime.fromtimestamp(_of("time.format", seconds, int, float), datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def _time_parse(value: Any) -> float:
    try:
        moment = datetime.datetime.fromisoformat(_text("time.parse", value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise error("ValueError", f"time.parse: {value} is not a time of ISO 8601 with a zone")
    return moment.timestamp()


def _number(name: str, value: Any) -> Any:
    if not is_number(value):
        raise error("TypeError", f"{name}: a {type_of(value)} is not accepted")
    return value


PURE: dict[str, Callable[..., Any]] = {
    "default": lambda value, instead: instead if value is None else value,
    "double": _double,
    "get_type": type_of,
    "if": _choice,
    "int": _integer,
    "keys": _keys,
    "len": _length,
    "string": _string,
    "base64.decode": _base64_decode,
    "base64.encode": lambda value: base64.b64encode(_of("base64.encode", value, bytes)).decode(),
    "json.decode": _json_decode,
    "json.encode": lambda value: _json_text(value).encode(),
    "json.encode_to_string": _json_text,
    "list.concat": lambda values, value: [*_of("list.concat", values, list), value],
    "list.prepend": lambda values, value: [value, *_of("list.prepend", values, list)],
    "map.delete": _map_delete,
    "map.get": _map_get,
    "map.merge": _map_merge,
    "math.abs": lambda value: abs(_number("math.abs", value)),
    "math.floor": lambda value: math.floor(_number("math.floor", value)),
    "math.max": lambda one, other: max(_number("math.max", one), _number("math.max", other)),
    "math.min": lambda one, other: min(_number("math.min", one), _number("math.min", other)),
    "text.decode": _text_decode,
    "text.encode": lambda value: _text("text.encode", value).encode(),
    "text.find_all": _find_all,
    "text.replace_all": lambda text, part, by: _text("text.replace_all", text).replace(
        _text("text.replace_all", part), _text("text.replace_all", by)
    ),
    "text.split": lambda text, by: _text("text.split", text).split(_text("text.split", by)),
    "text.substring": _substring,
    "text.to_lower": lambda value: _text("text.to_lower", value).lower(),
    "text.to_upper": lambda value: _text("text.to_upper", value).upper(),
    "text.url_encode": lambda value: urllib.parse.quote(_text("text.url_encode", value), safe=""),
    "time.format": _time_format,
    "time.parse": _time_parse,
}
