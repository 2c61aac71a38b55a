"""Add a model to the settings of a stack: one line changes, and comments stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KEYS = ("config", "serverless-ml:settings", "models")
DEFAULT = ("local", "gcp-local")
"""The stacks that run on this machine."""


def file_of(root: Path, stack: str) -> Path:
    return root / f"Pulumi.{stack}.yaml"


def stacks_in(root: Path, named: Sequence[str]) -> list[str]:
    """Return the stacks to change: those that were named, else those on this machine. Raise `Mistake`."""
    known = sorted(path.name.split(".")[1] for path in root.glob("Pulumi.*.yaml"))
    for stack in named:
        if stack not in known:
            raise Mistake(f"there is no Pulumi.{stack}.yaml; the stacks are {', '.join(known) or 'none'}")
    return list(dict.fromkeys(named)) or [stack for stack in DEFAULT if stack in known]


def with_model(text: str, model: str, where: str) -> str:
    """Return the text of a stack's file with one more model; the same text where it has it. Raise `Mistake`."""
    try:
        models = _found(yaml.compose(text, yaml.SafeLoader), where)
        before = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise Mistake(f"{where}: is not YAML: {' '.join(str(problem).split())}") from None
    named = [node.value for node in models.value]
    if model in named:
        return text
    changed = _in_brackets(text, models, model) if models.flow_style else _as_a_line(text, models, model)
    try:
        right = yaml.safe_load(changed) == _appended(before, model)
    except yaml.YAMLError:
        right = False
    if not right:
        raise Mistake(f"{where}: add {model} to models by hand: the file is not written as this can change it")
    return changed


def _found(node: Node | None, where: str) -> SequenceNode:
    for key in KEYS:
        pairs = node.value if isinstance(node, MappingNode) else []
        node = next((value for name, value in pairs if isinstance(name, ScalarNode) and name.value == key), None)
    if not isinstance(node, SequenceNode) or not node.value:
        raise Mistake(f"{where}: has no list of models; write models: [...] under {KEYS[1]}")
    return node


def _in_brackets(text: str, models: SequenceNode, model: str) -> str:
    at = models.value[-1].end_mark.index
    return f"{text[:at]}, {model}{text[at:]}"


def _as_a_line(text: str, models: SequenceNode, model: str) -> str:
    end = text.find("\n", models.value[-1].end_mark.index)
    line_end = "\r\n" if text[end - 1 : end] == "\r" else "\n"
    added = " " * models.start_mark.column + f"- {model}"
    return f"{text}{line_end}{added}" if end < 0 else f"{text[: end + 1]}{added}{line_end}{text[end + 1 :]}"


def _appended(before: Any, model: str) -> Any:
    config, settings, models = KEYS
    changed = {**before[config][settings], models: [*before[config][settings][models], model]}
    return {**before, config: {**before[config], settings: changed}}
