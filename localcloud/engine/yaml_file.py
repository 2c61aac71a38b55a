"""A YAML file of Pulumi's, read as strictly as the Pulumi CLI reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import yaml
from yaml.constructor import ConstructorError

DEEPEST = 100


class _Loader(yaml.SafeLoader):
    """Reads what JSON can say too, and each key once."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        self.flatten_mapping(node)
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise ConstructorError(None, None, f"the key {key!r} is no text; quote it", key_node.start_mark)
            if key in seen:
                raise ConstructorError(None, None, f"the key {key} is there twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def _refuse(self, node: Any) -> Any:
        kind = node.tag.rpartition(":")[2]
        raise ConstructorError(None, None, f"a {kind} is not accepted; quote it to have a text", node.start_mark)


for _tag in ("timestamp", "binary", "set", "omap", "pairs"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _Loader._refuse)


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping that a file holds.

    Raises `pulumi.RunError`, which names the file and the line, for a file that is missing, is no UTF-8 or no YAML,
    says a key twice, or holds what JSON cannot say.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise pulumi.RunError(f"{path} does not exist") from None
    except UnicodeDecodeError as problem:
        raise pulumi.RunError(f"{path.name}: not UTF-8, at byte {problem.start}; save it as UTF-8") from None
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as problem:
        line = f" line {problem.problem_mark.line + 1}:" if problem.problem_mark else ""
        raise pulumi.RunError(f"{path.name}:{line} {problem.problem or 'not valid YAML'}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as problem:
        raise pulumi.RunError(f"{path.name}: not valid YAML: {str(problem).splitlines()[0]}") from None
    if not isinstance(document, dict):
        found = "nothing" if document is None else f"a {type(document).__name__}"
        raise pulumi.RunError(f"{path.name}: a mapping is expected, such as `config:` in the first line; found {found}")
    if _depth(document) > DEEPEST:
        raise pulumi.RunError(f"{path.name}: nested deeper than {DEEPEST} levels")
    return document


def _depth(value: Any, level: int = 0) -> int:
    """Return how deep a value is nested; a value that contains itself is too deep."""
    if level > DEEPEST or not isinstance(value, dict | list):
        return level
    inner = value.values() if isinstance(value, dict) else value
    return max((_depth(one, level + 1) for one in inner), default=level)
