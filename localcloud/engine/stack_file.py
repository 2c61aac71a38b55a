"""A stack's configuration as the Pulumi CLI reads it: its file, `Pulumi.<stack>.yaml`, over that of the project."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pulumi

from localcloud.engine.project_file import ProjectFile, qualified
from localcloud.engine.yaml_file import read_mapping
from localcloud.engine.yaml_scalar import written

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".local"
SETTINGS = "serverless-ml:settings"
"""The key of the settings, the same whatever the project is called."""
NEEDED = (SETTINGS, "aws:region", "gcp:project", "gcp:region", "pulumi:autonaming")
"""The keys whose values the program reads: a placeholder in place of one would mislead it."""
PLACEHOLDER = "<encrypted>"
"""Stands for a value that only the CLI can open, and that the program does not read."""


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """A stack: its project, its name, and its configuration as the program sees it.

    `StackFile.read("local").config["serverless-ml:settings"]` is the settings object as JSON text.
    """

    project: str
    name: str
    config: Mapping[str, str]
    secret: tuple[str, ...] = ()
    """The keys whose values are encrypted; a placeholder stands for each."""
    root: Path = ROOT

    @classmethod
    def read(cls, name: str, root: Path = ROOT, override: Mapping[str, Any] | None = None) -> Self:
        """Read `Pulumi.<name>.yaml` in `root`, and merge `override` into it.

        Objects are merged key by key: `{"serverless-ml:settings": {"pointer_seconds": 1}}`
        changes that key alone. The project's own configuration is below both, a key as a whole. Raises
        `pulumi.RunError` for a stack that does not exist, and for an encrypted value that the program reads,
        which only the CLI can open; for any other one there is a placeholder.
        """
        project = ProjectFile.read(root)
        path = root / f"Pulumi.{name}.yaml"
        if not path.is_file():
            files = [file for file in root.glob("Pulumi.*.yaml") if file.is_file()]
            known = ", ".join(sorted(file.name.removeprefix("Pulumi.").removesuffix(".yaml") for file in files))
            raise pulumi.RunError(f"there is no stack {name!r} ({path.name}); the stacks here: {known or 'none'}")
        stated = read_mapping(path).get("config") or {}
        if not isinstance(stated, dict):
            raise pulumi.RunError(f"{path.name}: config: a mapping is expected, such as `aws:region: eu-west-1`")
        config = {**project.config, **_qualified_once(merged(stated, override or {}), project.name, path.name)}
        if missing := sorted(project.required - config.keys()):
            raise pulumi.RunError(
                f"{path.name}: {', '.join(missing)}: Pulumi.yaml declares it, and nothing gives a value"
            )
        encrypted = {key: list(_encrypted(value, key)) for key, value in config.items()}
        if closed := ", ".join(path for key in NEEDED for path in encrypted.get(key, ())):
            raise pulumi.RunError(f"{path.name}: {closed} is encrypted, and only the Pulumi CLI can open it")
        return cls(
            project=project.name,
            name=name,
            config={key: PLACEHOLDER if encrypted[key] else _text(value) for key, value in config.items()},
            secret=tuple(key for key, paths in encrypted.items() if paths),
            root=root,
        )

    @property
    def path(self) -> Path:
        """Its file."""
        return self.root / f"Pulumi.{self.name}.yaml"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings as they are written; empty where they are no object."""
        try:
            settings = json.loads(self.get(SETTINGS, "{}"))
        except ValueError:
            return {}
        return settings if isinstance(settings, dict) else {}

    @property
    def cloud(self) -> str | None:
        """The cloud that the settings name; None when they name none."""
        return self.settings.get("cloud")

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


def _encrypted(value: Any, path: str) -> Iterator[str]:
    """Yield the path of every encrypted value, at any depth, as `pulumi config set --path` takes it."""
    match value:
        case {"secure": str()} if len(value) == 1:
            yield path
        case dict():
            for key, inner in value.items():
                yield from _encrypted(inner, f"{path}.{key}")
        case list():
            for position, inner in enumerate(value):
                yield from _encrypted(inner, f"{path}[{position}]")


def _qualified_once(config: Mapping[str, Any], project: str, where: str) -> dict[str, Any]:
    """Return the configuration by full keys. Raises `pulumi.RunError` for a key in its short and long form."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        full = qualified(key, project, where)
        if full in found:
            raise pulumi.RunError(f"{where}: {full} is there twice, once as {key}")
        found[full] = value
    return found


def _text(value: Any) -> str:
    """Return a value as the CLI passes it to the program: objects and lists as JSON."""
    return json.dumps(value) if isinstance(value, dict | list) else written(value)
