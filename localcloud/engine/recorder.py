"""Writes down what a program declares and makes nothing: a preview without an account."""

from __future__ import annotations

import builtins
import importlib
import keyword
import threading
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_type_hints

from localcloud.engine.program import Declared, Registered

PLAIN: Mapping[type, Any] = {int: 0, float: 0.0, bool: False}


class Recorder:
    """A registrar that answers with symbols: the ARN of `data-bucket` is `<data-bucket.arn>`.

    So a policy or a definition built from outputs can be read whole, before anything exists.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._declared: list[Declared] = []

    @property
    def declared(self) -> list[Declared]:
        """Everything the program declared, components too, by URN."""
        return sorted(self._declared, key=lambda one: one.urn)

    def register(self, declared: Declared) -> Registered:
        with self._lock:
            self._declared.append(declared)
        if not declared.custom or declared.type.startswith("pulumi:"):
            return Registered(id=declared.name)
        cls = _class(declared.type)
        known, given = symbols(cls, declared.name), completed(cls, declared.name, declared.inputs)
        return Registered(id=f"<{declared.name}.id>", outputs={**known, **given})

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        name = token.rsplit(":", maxsplit=1)[-1]
        return {**symbols(_class(token, result=True), name), **args}


def symbols(cls: type, name: str) -> dict[str, Any]:
    """A symbol for every output that is always there and is text; zero and False for numbers and flags."""
    found: dict[str, Any] = {}
    for key, getter in _getters(cls):
        kind = _kind(getter)
        if kind is str:
            found[key] = _text(cls, name, key)
        elif kind in PLAIN:
            found[key] = PLAIN[kind]
    return found


def completed(cls: type, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a program gave; in each structure, too, a symbol for the texts that the cloud may add."""
    found = dict(given)
    for key, getter in _getters(cls):
        value, inner = found.get(key), _kind(getter)
        for structure in (inner, *get_args(inner)):
            if isinstance(value, dict) and isinstance(structure, type) and hasattr(structure, "_pulumi_output_type"):
                texts = [part for part, part_getter in _getters(structure) if str in get_args(_kind(part_getter))]
                found[key] = {**{part: f"<{name}.{key}.{part}>" for part in texts}, **value}
    return found


def _getters(cls: type) -> Iterator[tuple[str, Any]]:
    for attribute in vars(cls).values():
        if isinstance(attribute, builtins.property) and attribute.fget is not None:
            yield getattr(attribute.fget, "_pulumi_name", attribute.fget.__name__), attribute.fget


def _text(cls: type, name: str, key: str) -> str:
    """An ARN keeps its shape: programs take it apart."""
    if key == "arn" or key.endswith("Arn"):
        return f"arn:aws:{cls.__module__.split('.')[1].strip('_')}:<region>:<account>:<{name}.{key}>"
    return f"<{name}.{key}>"


def _kind(getter: Any) -> Any:
    """The type inside `Output[...]`; None for what may be absent."""
    hint = get_type_hints(getter).get("return")
    inner = get_args(hint)
    return inner[0] if len(inner) == 1 else hint


def _class(token: str, *, result: bool = False) -> type:
    """`aws:s3/bucket:Bucket` is `pulumi_aws.s3.Bucket`; a function's result is a class too."""
    package, place, name = token.split(":")
    module = place.split("/")[0]
    if keyword.iskeyword(module):
        module += "_"
    path = f"pulumi_{package}" if module == "index" else f"pulumi_{package}.{module}"
    return getattr(importlib.import_module(path), f"{name[:1].upper()}{name[1:]}Result" if result else name)
