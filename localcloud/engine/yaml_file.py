"""A YAML file of Pulumi's, read as the Pulumi CLI reads it; what neither should say is refused with its line."""

from __future__ import annotations

import base64
import binascii
import codecs
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import yaml
from yaml.constructor import ConstructorError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from localcloud.engine import yaml_scalar

DEEPEST, MOST = 100, 100_000
TAG = "tag:yaml.org,2002:"
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
"""The marks that a file may begin with, and the encoding that each stands for."""


class _Loader(yaml.SafeLoader):
    """Reads scalars, tags and tabs as Go's yaml.v3 does, and each key once."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        if kind is ScalarNode and implicit[0]:
            return f"{TAG}{yaml_scalar.read(value)[0]}"
        return super().resolve(kind, value, implicit)

    def scan_to_next_token(self) -> None:
        """Pass over spaces and comments, and over tabs where no indentation can begin."""
        super().scan_to_next_token()
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            while self.peek() == "\t":
                self.forward()
            super().scan_to_next_token()

    def process_directives(self) -> Any:
        result = super().process_directives()
        if self.yaml_version not in (None, (1, 1)):
            raise yaml.YAMLError("the Pulumi CLI takes no other %YAML than 1.1; leave the line out")
        return result

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node. An anchor may be given again: from there on it names the later node."""
        event = self.peek_event()
        if not isinstance(event, yaml.AliasEvent) and event.anchor in self.anchors:
            del self.anchors[event.anchor]
        if isinstance(event, yaml.ScalarEvent) and event.tag == "!" and event.style:
            event.implicit = (False, True)
        return super().compose_node(parent, index)

    def compose_mapping_node(self, anchor: Any) -> Any:
        """Compose a mapping, and refuse a key that is there twice, whether anything uses the mapping or not."""
        node = super().compose_mapping_node(anchor)
        seen: dict[str, int] = {}
        for key_node, _ in node.value:
            key, line = self._key(key_node), key_node.start_mark.line + 1
            if key in seen:
                raise ConstructorError(
                    None, None, f"the key {key} is there twice, first in line {seen[key]}", key_node.start_mark
                )
            seen[key] = line
        return node

    def _key(self, node: Node) -> str:
        value = self.construct_object(node, deep=True) if isinstance(node, ScalarNode) else None
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            raise ConstructorError(None, None, "a key is a text; quote it", node.start_mark)
        return yaml_scalar.written(value)

    def flatten_mapping(self, node: Any) -> None:
        """Merge what merge keys name, each key once: what is merged again and again would double each time."""
        super().flatten_mapping(node)
        pairs = {key.value if isinstance(key, ScalarNode) else id(key): (key, value) for key, value in node.value}
        node.value = list(pairs.values())

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        for key_node, _ in node.value:
            if isinstance(key_node, ScalarNode) and key_node.value == "<<":
                key_node.tag = f"{TAG}merge"
        self.flatten_mapping(node)
        return {self._key(key): self.construct_object(value, deep=deep) for key, value in node.value}

    def construct_tagged(self, node: Any) -> Iterator[Any] | Any:
        """Return what a tag of anybody's own stands before: nothing is made of it."""
        match node:
            case MappingNode():
                return self.construct_yaml_map(node)
            case SequenceNode():
                return self.construct_yaml_seq(node)
            case _:
                return self.construct_yaml_str(node)

    def construct_typed(self, node: Any) -> Any:
        """Return the value of a scalar whose kind is its tag."""
        wanted = node.tag.removeprefix(TAG)
        kind, value = yaml_scalar.read(node.value) if isinstance(node, ScalarNode) else ("collection", None)
        if kind != wanted and (wanted, kind) != ("float", "int"):
            raise ConstructorError(None, None, f"{getattr(node, 'value', '')!r:.40} is no {wanted}", node.start_mark)
        if isinstance(value, float) and not math.isfinite(value):
            raise ConstructorError(
                None, None, f"{node.value} is no number that JSON can say; quote it to have a text", node.start_mark
            )
        return value

    def construct_bytes(self, node: Any) -> str:
        """Return the text that is written in Base64."""
        try:
            return base64.b64decode(self.construct_scalar(node), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise ConstructorError(None, None, "no text in Base64", node.start_mark) from None


for _kind in ("null", "bool", "int", "float", "timestamp"):
    _Loader.add_constructor(f"{TAG}{_kind}", _Loader.construct_typed)
for _kind in ("set", "omap", "pairs", "merge", None):
    _Loader.add_constructor(f"{TAG}{_kind}" if _kind else None, _Loader.construct_tagged)
_Loader.add_constructor(f"{TAG}binary", _Loader.construct_bytes)


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping that the first document of a file holds; an empty one if there is none.

    Raises `pulumi.RunError`, which names the file and the line, for a file that is missing or no YAML, says a key
    twice, or holds what JSON cannot say.
    """
    document = _document(path)
    if document is None:
        return {}
    if not isinstance(document, dict):
        found = "a list" if isinstance(document, list) else "a text" if isinstance(document, str) else "a value"
        raise pulumi.RunError(f"{path.name}: a mapping is expected, such as `config:` in the first line; found {found}")
    levels, values = _measured(document, {})
    if levels > DEEPEST:
        raise pulumi.RunError(f"{path.name}: nested deeper than {DEEPEST} levels, or within itself by an alias")
    if values > MOST:
        raise pulumi.RunError(f"{path.name}: {values:,} values, counted at each alias; accepted: at most {MOST:,}")
    return document


def _document(path: Path) -> Any:
    try:
        loader = _Loader(_text(path))
        return loader.get_data() if loader.check_data() else None
    except yaml.MarkedYAMLError as problem:
        line = f" line {problem.problem_mark.line + 1}:" if problem.problem_mark else ""
        raise pulumi.RunError(f"{path.name}:{line} {problem.problem or 'not valid YAML'}") from None
    except RecursionError:
        raise pulumi.RunError(f"{path.name}: nested deeper than {DEEPEST} levels") from None
    except (yaml.YAMLError, ValueError) as problem:
        raise pulumi.RunError(f"{path.name}: not valid YAML: {str(problem).splitlines()[0]}") from None


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise pulumi.RunError(f"{path} does not exist") from None
    mark, encoding = next(((mark, name) for mark, name in MARKS.items() if content.startswith(mark)), (b"", "utf-8"))
    try:
        return content.removeprefix(mark).decode(encoding)
    except UnicodeDecodeError as problem:
        at = problem.start + len(mark)
        raise pulumi.RunError(f"{path.name}: not {encoding.upper()}, at byte {at}; save it as UTF-8") from None


def _measured(value: Any, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Return the levels and the number of values within; one that contains itself has more levels than any other.

    A value that stands in several places is measured once, and counted in each.
    """
    if not isinstance(value, dict | list):
        return 0, 1
    if id(value) not in known:
        known[id(value)] = (DEEPEST + 1, 1)
        inner = [_measured(one, known) for one in (value.values() if isinstance(value, dict) else value)]
        known[id(value)] = (
            1 + max((levels for levels, _ in inner), default=0),
            1 + sum(values for _, values in inner),
        )
    return known[id(value)]
