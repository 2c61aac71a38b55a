"""Writes a size of memory into a stack's file: one value changes, or one line comes, and comments and order stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from sml.mistake import Mistake

SETTINGS = ("config", "serverless-ml:settings")
SHARED = ("functions", "predict")
OWN = ("scaling", "models")
MEMORY = "memory_mb"


def paths_of(text: str, models: Sequence[str], where: str) -> list[tuple[str, ...]]:
    """Return the keys, below the settings, that decide the memory of the function that answers for some models."""
    own = _at(_settings(_read(text, where), where), OWN) or {}
    paths = [(*OWN, model, MEMORY) if model in own else (*SHARED, MEMORY) for model in models]
    return list(dict.fromkeys(paths))


def with_value(text: str, path: Sequence[str], value: int, where: str) -> str:
    """Return the text of a stack's file with another value of a setting. Raise `Mistake`."""
    before = _read(text, where)
    _settings(before, where)
    keys = (*SETTINGS, *path)
    changed = _changed(text, yaml.compose(text, yaml.SafeLoader), keys, value)
    try:
        right = yaml.safe_load(changed) == _set(before, keys, value)
    except yaml.YAMLError:
        right = False
    if not right:
        name = ".".join(path)
        raise Mistake(f"{where}: set {name}: {value} by hand: the file is not written as this can change it")
    return changed


def _changed(text: str, node: Node | None, keys: Sequence[str], value: int) -> str:
    for depth, key in enumerate(keys):
        if not isinstance(node, MappingNode):
            return text
        inner = next((each for name, each in node.value if isinstance(name, ScalarNode) and name.value == key), None)
        if inner is None:
            return _added(text, node, keys[depth:], value)
        node = inner
    if not isinstance(node, ScalarNode):
        return text
    return f"{text[: node.start_mark.index]}{value}{text[node.end_mark.index :]}"


def _added(text: str, node: MappingNode, keys: Sequence[str], value: int) -> str:
    """Return the text with one more key in a mapping: the last of it."""
    *outer, last = keys[1:] or [""]
    flow = f"{value}"
    for key in reversed([*outer, last] if last else []):
        flow = f"{{{key}: {flow}}}"
    entry = f"{keys[0]}: {flow}"
    if node.flow_style:
        if not node.value:
            at = node.start_mark.index + 1
            return f"{text[:at]}{entry}{text[at:]}"
        at = node.value[-1][1].end_mark.index
        return f"{text[:at]}, {entry}{text[at:]}"
    end = text.find("\n", _last(node).end_mark.index)
    line_end = "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"
    line = " " * node.start_mark.column + entry
    return f"{text}{line_end}{line}" if end < 0 else f"{text[: end + 1]}{line}{line_end}{text[end + 1 :]}"


def _last(node: Node) -> Node:
    """Return the last scalar, or mapping in brackets, of a node: where its text really ends."""
    while isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        node = node.value[-1][1] if isinstance(node, MappingNode) else node.value[-1]
    return node


def _read(text: str, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise Mistake(f"{where}: is not YAML: {' '.join(str(problem).split())}") from None


def _settings(document: Any, where: str) -> dict[str, Any]:
    found = _at(document, SETTINGS)
    if not isinstance(found, dict) or "secure" in found:
        raise Mistake(f"{where}: {SETTINGS[1]} is missing there, or encrypted: nothing can be written into it")
    return found


def _at(document: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _set(document: Any, keys: Sequence[str], value: int) -> Any:
    if not keys:
        return value
    inner = document if isinstance(document, dict) else {}
    return {**inner, keys[0]: _set(inner.get(keys[0]), keys[1:], value)}
