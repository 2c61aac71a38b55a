"""A stack's file, `Pulumi.<stack>.yaml`, read as the Pulumi CLI reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pulumi

from localcloud.engine.yaml_file import read_mapping

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".local"
SETTINGS = "serverless-ml:settings"
"""The key of the settings, the same whatever the project is called."""


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """A stack: its project, its name, and its configuration as the program sees it.

    `StackFile.read("local").config["serverless-ml:settings"]` is the settings object as JSON text.
    """

    project: str
    name: str
    config: Mapping[str, str]
    root: Path = ROOT

    @classmethod
    def read(cls, name: str, root: Path = ROOT, override: Mapping[str, Any] | None = None) -> Self:
        """Read `Pulumi.<name>.yaml` in `root`, and merge `override` into it.

        Objects are merged key by key: `{"serverless-ml:settings": {"pointer_seconds": 1}}`
        changes that key alone. Raises `pulumi.RunError` for a stack that does not exist and for an
        encrypted value, which only the CLI can open.
        """
        project = read_mapping(root / "Pulumi.yaml")
        path = root / f"Pulumi.{name}.yaml"
        if not path.exists():
            known = ", ".join(sorted(file.name.split(".")[1] for file in root.glob("Pulumi.*.yaml")))
            raise pulumi.RunError(f"there is no stack {name!r} ({path.name}); the stacks here: {known or 'none'}")
        written = read_mapping(path).get("config") or {}
        if not isinstance(written, dict):
            raise pulumi.RunError(f"{path.name}: config: a mapping is expected, such as `aws:region: eu-west-1`")
        config = merged(written, override or {})
        if encrypted := ", ".join(_encrypted(config)):
            raise pulumi.RunError(f"{path.name}: {encrypted} is encrypted, and only the Pulumi CLI can open it")
        return cls(
            project=str(project.get("name", "serverless-ml")),
            name=name,
            config=_qualified_once(config, project, path.name),
            root=root,
        )

    @property
    def cloud(self) -> str | None:
        """The cloud that the settings name; None when they name none."""
        try:
            settings = json.loads(self.get(SETTINGS, "{}"))
        except ValueError:
            return None
        return settings.get("cloud") if isinstance(settings, dict) else None

    def get(self, key: str, default: str) -> str:
        """Return a value of the configuration, by its full key: `aws:region`."""
        return self.config.get(key, default)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the values of `over`; where both hold a mapping, the two are merged in turn."""
    result = dict(base)
    for key, value in over.items():
        current = result.get(key)
        result[key] = merged(current, value) if isinstance(current, Mapping) and isinstance(value, Mapping) else value
    return result


def _encrypted(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every encrypted value, at any depth, as `pulumi config set --path` takes it."""
    match value:
        case {"secure": _} if len(value) == 1:
            yield path
        case dict():
            for key, inner in value.items():
                yield from _encrypted(inner, f"{path}.{key}" if path else str(key))
        case list():
            for position, inner in enumerate(value):
                yield from _encrypted(inner, f"{path}[{position}]")


def _qualified_once(config: Mapping[str, Any], project: Mapping[str, Any], where: str) -> dict[str, str]:
    """Return the configuration as text by full keys. Raises `pulumi.RunError` for a key in its short and long form."""
    found: dict[str, str] = {}
    for key, value in config.items():
        full = _qualified(key, project)
        if full in found:
            raise pulumi.RunError(f"{where}: {full} is there twice, once as {key}")
        found[full] = _text(value)
    return found


def _qualified(key: str, project: Mapping[str, Any]) -> str:
    return key if ":" in key else f"{project.get('name')}:{key}"


def _text(value: Any) -> str:
    """Return a value as the CLI passes it to the program: objects, lists and booleans as JSON."""
    return value if isinstance(value, str) else json.dumps(value)
