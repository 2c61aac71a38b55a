"""A user's YAML file: its values, and where each of them stands.

Read with less than YAML allows: each key once, no aliases, no tags, a bounded size and depth. A plain word that YAML
takes for something else than it looks like, such as `no` for false, is kept with what it is to YAML.
"""

from __future__ import annotations

import codecs
import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Keys = tuple[str | int, ...]
"""The keys and positions that lead to a value."""
LARGEST: Final = 500_000
"""Bytes of a file."""
DEEPEST: Final = 20
"""Levels of mappings and lists within each other."""
KEPT: Final = 64
"""Documents that a process keeps: whatever asks for a contract reads it anew, and it seldom has changed."""
BOOLEANS: Final = frozenset({"true", "false"})
_SIXTIES: Final = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_TEXTS: Final = (":str", ":value", ":merge")
"""The ends of the tags of a plain word, of `=` and of `<<`."""
_OCTAL: Final = re.compile(r"[-+]?0[0-7_]+")


@dataclass(frozen=True, kw_only=True)
class Plain:
    """A word without quotes that is no text to YAML."""

    text: str
    means: str
    """What it is to YAML: `false`, `the number 90`."""
    surprising: bool
    """Whether a reader would hardly expect that."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a file holds, the line of each value, and the words without quotes that are no texts."""

    where: str
    """The file's name, for messages."""
    value: Any
    lines: Mapping[Keys, int] = field(default_factory=dict)
    plain: Mapping[Keys, Plain] = field(default_factory=dict)

    @classmethod
    @lru_cache(maxsize=KEPT)
    def read(cls, data: bytes, where: str) -> Document:
        """Read a file in UTF-8. Raise `yaml.YAMLError` whose text names the line, and what is wrong there.

        The same bytes are the same document, which nobody changes.
        """
        if len(data) > LARGEST:
            raise yaml.YAMLError(f"has {len(data):,} bytes; accepted: at most {LARGEST:,}")
        try:
            text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
        except UnicodeDecodeError as problem:
            line = data.count(b"\n", 0, problem.start) + 1
            raise yaml.YAMLError(f"line {line}: is not UTF-8; save the file as UTF-8") from None
        lines: dict[Keys, int] = {}
        plain: dict[Keys, Plain] = {}
        try:
            node = _Loader(text).get_single_node()
            value = None if node is None else _value(node, (), lines, plain)
        except yaml.MarkedYAMLError as problem:
            at = problem.problem_mark or problem.context_mark
            line = f"line {at.line + 1}: " if at else ""
            told = "" if isinstance(problem, ConstructorError) else "is not YAML: "
            raise yaml.YAMLError(f"{line}{told}{problem.problem or problem.context}") from None
        except yaml.reader.ReaderError as problem:
            line = text.count("\n", 0, problem.position) + 1
            raise yaml.YAMLError(f"line {line}: is not YAML: it holds a character that cannot be printed") from None
        return cls(where=where, value=value, lines=lines, plain=plain)

    def place(self, keys: Keys) -> str:
        """Return the file, and the line of a value or of what it should stand in: `models/a/model.yaml: line 7`."""
        line = self.line(keys)
        return self.where if line is None else f"{self.where}: line {line}"

    def at(self, keys: Keys) -> Any:
        """Return the value to which keys lead; None where there is none."""
        value = self.value
        for key in keys:
            if not is_in(value, key):
                return None
            value = value[key]
        return value

    def line(self, keys: Keys) -> int | None:
        """Return the line of a value, or of the nearest part around it that the file has."""
        return next((self.lines[keys[:end]] for end in range(len(keys), 0, -1) if keys[:end] in self.lines), None)


class _Loader(yaml.SafeLoader):
    """Composes nodes, and refuses what a model's description does not need."""

    deep = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            told = "aliases and anchors are not read; write the value where it belongs"
            raise _refusal(f"{sign}{shortened(event.anchor)}: {told}", event)
        if event.tag is not None and event.tag != "!":
            tag = shortened(event.tag.replace("tag:yaml.org,2002:", "!!"))
            raise _refusal(f"the tag {tag} is not read; write the value plainly, a text in quotes", event)
        self.deep += 1
        if self.deep > DEEPEST:
            raise _refusal(f"is nested deeper than {DEEPEST} levels", event)
        try:
            return super().compose_node(parent, index)
        finally:
            self.deep -= 1


def _value(node: Node, keys: Keys, lines: dict[Keys, int], plain: dict[Keys, Plain]) -> Any:
    lines.setdefault(keys, node.start_mark.line + 1)
    match node:
        case MappingNode():
            return _mapping(node, keys, lines, plain)
        case SequenceNode():
            return [_value(inner, (*keys, at), lines, plain) for at, inner in enumerate(node.value)]
        case ScalarNode():
            value, found = _scalar(node)
            if found is not None:
                plain[keys] = found
            return value
    raise TypeError(type(node))


def _mapping(node: MappingNode, keys: Keys, lines: dict[Keys, int], plain: dict[Keys, Plain]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, inner in node.value:
        key = _key(key_node)
        line = key_node.start_mark.line + 1
        if key in values:
            first = lines[(*keys, key)]
            also = f", first in line {first}" if first != line else ""
            raise _refusal(f"{written((*keys, key))}: stands twice{also}; accepted: each key once", key_node)
        lines[(*keys, key)] = line
        values[key] = _value(inner, (*keys, key), lines, plain)
    return values


def _key(node: Node) -> str:
    if not isinstance(node, ScalarNode):
        raise _refusal("a key is a list or a mapping; accepted: a word", node)
    value, found = _scalar(node)
    if isinstance(value, str) and found is None:
        return value
    said = f"{found.text} is {found.means} to YAML" if found else "a key is missing"
    raise _refusal(f"the key {said}; write {quoted(node.value)} in quotes", node)


def _scalar(node: ScalarNode) -> tuple[Any, Plain | None]:
    """Return the value of a scalar, and what it is to YAML where it is no text although it has no quotes."""
    text = node.value
    if node.style is not None or node.tag.endswith(_TEXTS):
        return text, None
    try:
        value = yaml.SafeLoader("").construct_object(ScalarNode(node.tag, text, node.start_mark, node.end_mark))
    except (ValueError, OverflowError, yaml.YAMLError):
        raise _refusal(f"{shortened(text)} cannot be read; write {quoted(text)} in quotes", node) from None
    match value:
        case None:
            return None, Plain(text=text, means="nothing", surprising=False)
        case bool():
            return value, Plain(text=text, means=str(value).lower(), surprising=text.lower() not in BOOLEANS)
        case int() | float():
            odd = bool(_SIXTIES.fullmatch(text) or _OCTAL.fullmatch(text))
            return value, Plain(text=text, means=f"the number {value}", surprising=odd)
        case datetime.date():
            return text, Plain(text=text, means="a date", surprising=True)
        case _:
            return text, None


def is_in(value: Any, key: str | int) -> bool:
    """Return whether a mapping has a key, or a list a position."""
    if isinstance(value, list):
        return isinstance(key, int) and 0 <= key < len(value)
    return isinstance(value, dict) and key in value


def written(keys: Keys) -> str:
    """Return keys as messages show them: `target.classes[0]`."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.removeprefix(".")


def quoted(text: str) -> str:
    """Return a text in the quotes that YAML wants."""
    return '"' + shortened(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def shortened(text: str) -> str:
    """Return a text, cut to the characters that a message shows."""
    return text if len(text) <= 40 else f"{text[:40]}..."


def _refusal(text: str, at: Any) -> ConstructorError:
    return ConstructorError(None, None, text, at.start_mark)
