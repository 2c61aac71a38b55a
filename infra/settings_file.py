"""The lines of a stack's files: where a setting stands, as far as a file says what the program was given."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pulumi
import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

ROOT = Path(__file__).resolve().parents[1]
WORDS: Mapping[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, kw_only=True)
class SettingsFile:
    """The file that one key of the configuration comes from; without lines where the file says something else.

    Pulumi passes values to the program, and not where they stand. So the file is read once more, and its lines are
    told only if it agrees with what was passed: settings may come from `--config-file` or an environment, too.
    """

    name: str
    node: Node | None = None
    line: int | None = None
    """The line of the key."""

    @classmethod
    def find(cls, stack: str, key: str, value: object, root: Path | None = None) -> Self:
        """Return the stack's file, or that of the project where the value stands there and not in the stack's file."""
        named = f"Pulumi.{stack}.yaml"
        for file in (named, "Pulumi.yaml"):
            for line, node in _values((root or ROOT) / file, key):
                if _agrees(node, value):
                    return cls(name=file, node=node, line=line)
        return cls(name=named)

    def where(self, keys: Sequence[str | int] = ()) -> str:
        """Return the file, and the line of a setting or of what it should stand in: `Pulumi.dev.yaml: line 7`."""
        line = self.line_of(keys)
        return self.name if line is None else f"{self.name}: line {line}"

    def where_path(self, path: str) -> str:
        """Return the same for keys as `pulumi config set --path` takes them, and whatever stands after them."""
        keys = re.findall(r"[A-Za-z0-9_-]+", re.split("[,:]", path, maxsplit=1)[0])
        return self.where([int(key) if key.isdecimal() else key for key in keys])

    def line_of(self, keys: Sequence[str | int]) -> int | None:
        """Return the line of a setting, or of the nearest part around it that the file has; None without lines."""
        node, line = self.node, self.line
        for key in keys:
            inner = dict(_children(node)).get(key)
            if inner is None:
                break
            line, node = inner
        return line


def origin(key: str, value: object, variables: Sequence[str]) -> str:
    """Return where a value of a provider comes from: a file with the line, or the first variable that says it.

    Without a value it is where the value should stand.
    """
    file = SettingsFile.find(pulumi.get_stack(), key, value)
    said = next((name for name in variables if value and os.environ.get(name) == value), None)
    return f"{file.where()}: {key}" if file.line is not None or said is None else f"{said} of the environment"


def _values(file: Path, key: str) -> Iterator[tuple[int, Node]]:
    """Yield the line and the value of a key of the configuration; nothing of a file that cannot be read."""
    try:
        loader = _Loader(file.read_text(encoding="utf-8-sig"))
        document = loader.get_node() if loader.check_node() else None
        _flatten(document, loader, set())
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        return
    config = dict(_children(document)).get("config", (0, None))[1]
    line, node = dict(_children(config)).get(key, (0, None))
    if node is not None:
        yield line, node
        below = dict(_children(node))
        # The project's file declares a value that is a mapping below `value:` or `default:`.
        for name in ("value", "default"):
            if name in below:
                yield line, below[name][1]


class _Loader(yaml.SafeLoader):
    """Merges what merge keys name, each key once: what is merged again and again would double each time."""

    def flatten_mapping(self, node: MappingNode) -> None:
        super().flatten_mapping(node)
        pairs = {key.value if isinstance(key, ScalarNode) else id(key): (key, value) for key, value in node.value}
        node.value = list(pairs.values())


def _flatten(node: Node | None, loader: yaml.SafeLoader, done: set[int]) -> None:
    """Have in each mapping what its merge keys bring into it."""
    if node is None or id(node) in done:
        return
    done.add(id(node))
    if isinstance(node, MappingNode):
        loader.flatten_mapping(node)
    for _, (_, inner) in _children(node):
        _flatten(inner, loader, done)


def _children(node: Node | None) -> Iterator[tuple[str | int, tuple[int, Node]]]:
    """Yield what stands in a mapping or a list, with its line: by the key, or by the position."""
    match node:
        case MappingNode():
            for key, value in node.value:
                yield str(key.value), (key.start_mark.line + 1, value)
        case SequenceNode():
            for position, value in enumerate(node.value):
                yield position, (value.start_mark.line + 1, value)


def _agrees(node: Node, value: object) -> bool:
    """Return whether a node says a value; of an encrypted one it is not known, and believed."""
    children = {key: inner for key, (_, inner) in _children(node)}
    match node:
        case MappingNode() if list(children) == ["secure"]:
            return True
        case MappingNode():
            return isinstance(value, dict) and _all_agree(children, value)
        case SequenceNode():
            return isinstance(value, list) and _all_agree(children, dict(enumerate(value)))
        case ScalarNode():
            return _says(node, value)
    return False


def _all_agree(children: Mapping[str | int, Node], values: Mapping[Any, object]) -> bool:
    return children.keys() == values.keys() and all(_agrees(node, values[key]) for key, node in children.items())


def _says(node: ScalarNode, value: object) -> bool:
    text = str(node.value)
    if isinstance(value, str):
        # A date is passed on with its time.
        return value.startswith(text) if re.match(r"\d{4}-", text) else value == text
    if node.style in ("'", '"'):
        return False
    if text in WORDS or isinstance(value, bool) or value is None:
        return text in WORDS and WORDS[text] is value
    return isinstance(value, (int, float)) and value in _numbers(text.replace("_", ""))


def _numbers(text: str) -> Iterator[float]:
    """Yield the numbers that a text can be."""
    if octal := re.fullmatch(r"([-+]?)0([0-7]+)", text):
        yield int(f"{octal[1]}{octal[2]}", 8)
        return
    for read in (_whole, float):
        try:
            yield read(text)
        except ValueError:
            continue


def _whole(text: str) -> int:
    return int(text, 0)
