"""Records what a program declares and creates nothing: a preview without an account."""

from __future__ import annotations

import builtins
import functools
import importlib
import keyword
import threading
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_type_hints

from localcloud.engine.program import Declared, Registered

_IMPORTING = threading.Lock()
PLAIN: Mapping[type, Any] = {int: 0, float: 0.0, bool: False}


class Recorder:
    """A registrar whose outputs are symbols: the ARN of `data-bucket` ends with `<data-bucket.arn>`.

    A policy or a definition that is built from outputs can be read before anything exists.

        recorder = Recorder()
        evaluate(StackFile.read("dev"), recorder, Path("infra"))
        [resource.name for resource in recorder.declared]
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._declared: list[Declared] = []

    @property
    def declared(self) -> list[Declared]:
        """Everything the program declared, including components, sorted by URN."""
        return sorted(self._declared, key=lambda resource: resource.urn)

    def register(self, declared: Declared) -> Registered:
        """Record a resource, and return symbols for the outputs that the cloud would add to its inputs."""
        with self._lock:
            self._declared.append(declared)
        if not declared.custom or declared.type.startswith("pulumi:"):
            return Registered(id=declared.name)
        return symbolic(declared)

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return symbols for the result of a provider function, together with its arguments."""
        return symbolic_result(token, args)


def symbolic(declared: Declared) -> Registered:
    """Return a resource's inputs, with symbols for the id and for the outputs that the cloud would add."""
    cls = sdk_class(declared.type)
    inputs = completed(cls, declared.inputs, lambda path: f"<{declared.name}.{path}>")
    return Registered(id=f"<{declared.name}.id>", outputs={**symbols(cls, declared.name), **inputs})


def symbolic_result(token: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return symbols for the result of a provider function, together with its arguments."""
    name = token.rsplit(":", maxsplit=1)[-1]
    return {**symbols(sdk_class(token, result=True), name), **args}


def symbols(cls: type, name: str) -> dict[str, Any]:
    """Return a symbol for every required text output, and zero or False for every required number or flag.

    `symbols(pulumi_aws.s3.Bucket, "data")["region"] == "<data.region>"`
    """
    outputs: dict[str, Any] = {}
    for key, kind in _getters(cls):
        if kind is str:
            outputs[key] = _text(cls, name, key)
        elif kind in PLAIN:
            outputs[key] = PLAIN[kind]
    return outputs


def completed(cls: type, inputs: Mapping[str, Any], symbol: Callable[[str], str]) -> dict[str, Any]:
    """Return the inputs, with a symbol for every text in a nested structure that the cloud may fill in.

    `symbol` returns it for the text's path, such as `serviceConfig.uri`.
    """
    outputs = dict(inputs)
    for key, inner in _getters(cls):
        value = outputs.get(key)
        for structure in (inner, *get_args(inner)):
            if isinstance(value, dict) and isinstance(structure, type) and hasattr(structure, "_pulumi_output_type"):
                texts = [part for part, kind in _getters(structure) if str in get_args(kind)]
                outputs[key] = {**{part: symbol(f"{key}.{part}") for part in texts}, **value}
    return outputs


@functools.cache
def _getters(cls: type) -> tuple[tuple[str, Any], ...]:
    """Return the outputs of a class: their camelCase names, each with the type inside `Output[...]`.

    Of an optional output the type is the whole union. An SDK resolves its types slowly, so each class is read once.
    """
    found = []
    for attribute in vars(cls).values():
        if isinstance(attribute, builtins.property) and attribute.fget is not None:
            hint = get_type_hints(attribute.fget).get("return")
            inner = get_args(hint)
            name = getattr(attribute.fget, "_pulumi_name", attribute.fget.__name__)
            found.append((name, inner[0] if len(inner) == 1 else hint))
    return tuple(found)


def _text(cls: type, name: str, key: str) -> str:
    """Return the symbol of a text output. An ARN keeps its six parts, because programs split it."""
    if key == "arn" or key.endswith("Arn"):
        return f"arn:aws:{cls.__module__.split('.')[1].strip('_')}:<region>:<account>:<{name}.{key}>"
    return f"<{name}.{key}>"


def sdk_class(token: str, *, result: bool = False) -> type:
    """Return the SDK's class for a token: `pulumi_aws.s3.Bucket` for `aws:s3/bucket:Bucket`.

    With `result`, the class of a provider function's result.
    """
    package, module_path, name = token.split(":")
    module = module_path.split("/")[0]
    if keyword.iskeyword(module):
        module += "_"
    path = f"pulumi_{package}" if module == "index" else f"pulumi_{package}.{module}"
    # An SDK is imported in parts; a second thread would find a part of a module that another one is importing.
    with _IMPORTING:
        return getattr(importlib.import_module(path), f"{name[:1].upper()}{name[1:]}Result" if result else name)
