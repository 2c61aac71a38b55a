"""The project's file, `Pulumi.yaml`: its name, and the configuration that every stack of it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pulumi

from localcloud.engine.yaml_file import read_mapping
from localcloud.engine.yaml_scalar import read

FILE = "Pulumi.yaml"
DECLARES = frozenset({"type", "description", "items", "secret", "default", "value"})
"""What a key of the project's configuration may say: https://www.pulumi.com/docs/reference/pulumi-yaml/#config-options."""
TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool) or value in ("true", "false"),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


@dataclass(frozen=True, kw_only=True)
class ProjectFile:
    """A project: its name, and by full keys the values that a stack has unless its own file says others.

    A stack's value stands in place of the project's: nothing in them is merged.
    """

    name: str
    config: Mapping[str, Any]
    required: frozenset[str] = frozenset()
    """Keys that are declared and have no value here: a stack must say one."""

    @classmethod
    def read(cls, root: Path) -> Self:
        """Read `Pulumi.yaml` in `root`. Raises `pulumi.RunError` for what the CLI would not read."""
        document = read_mapping(root / FILE)
        name = str(document.get("name", "serverless-ml"))
        declared = document.get("config") or {}
        if not isinstance(declared, dict):
            raise pulumi.RunError(f"{FILE}: config: a mapping is expected, such as `aws:region: eu-west-1`")
        values = {qualified(key, name, FILE): _value(key, said, name) for key, said in declared.items()}
        typed = {
            qualified(key, name, FILE) for key, said in declared.items() if isinstance(said, dict) and "type" in said
        }
        return cls(
            name=name,
            config={key: value for key, value in values.items() if value is not None},
            required=frozenset(key for key in typed if values[key] is None),
        )


def qualified(key: str, project: str, where: str) -> str:
    """Return a key with its namespace, which is the project's if it has none. Raises `pulumi.RunError` for no key."""
    if read(key)[0] != "str":
        raise pulumi.RunError(f"{where}: config: {key or 'an empty text'} is no key; accepted: <namespace>:<name>")
    match key.split(":"):
        case [name]:
            return f"{project}:{name}"
        case [namespace, name] | [namespace, "config", name]:
            return f"{namespace}:{name}"
        case _:
            raise pulumi.RunError(f"{where}: config: {key} is no key; accepted: <namespace>:<name>")


def _value(key: str, said: Any, project: str) -> Any:
    """Return what the project says for a key; None for nothing."""
    where = f"{FILE}: config: {key}"
    if not isinstance(said, dict):
        if said is None or isinstance(said, float):
            raise pulumi.RunError(f"{where}: accepted without `value:`: a text, a whole number, true, false or a list")
        return said
    if unknown := sorted(said.keys() - DECLARES):
        raise pulumi.RunError(
            f"{where}: {', '.join(unknown)}: there is no such key here; a value that is a mapping stands below `value:`"
        )
    if said.get("value") is not None and said.get("default") is not None:
        raise pulumi.RunError(f"{where}: has both a value and a default; one of them is accepted")
    foreign = qualified(key, project, FILE).partition(":")[0] != project
    if foreign and (found := sorted(said.keys() & {"type", "default"})):
        raise pulumi.RunError(f"{where}: {', '.join(found)}: of another namespace than {project}; accepted: value")
    value = said.get("default") if said.get("value") is None else said["value"]
    if "type" in said and not _is_of(said, value):
        raise pulumi.RunError(
            f"{where}: the default is not of the type {said['type']}; accepted types: {', '.join(TYPES)}"
        )
    if isinstance(value, dict) and list(value) == ["secure"]:
        raise pulumi.RunError(f"{where}: is encrypted; accepted in the stack's file alone")
    return value


def _is_of(declared: Mapping[str, Any], value: Any) -> bool:
    """Return whether a value is of a declared type, or missing; an array declares the type of its items, too."""
    kind = str(declared.get("type"))
    if kind not in TYPES or (kind == "array" and not isinstance(declared.get("items"), dict)):
        return False
    if value is None:
        return True
    return TYPES[kind](value) and (kind != "array" or all(_is_of(declared["items"], one) for one in value))
