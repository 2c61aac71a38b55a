"""A stack that is up and of which a test says everything: its outputs, its objects, how its executions go."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from localcloud.engine.cloud import CloudFailed, State
from localcloud.engine.stack import LocalStack


@dataclass
class StagedObjects:
    """Objects in memory. `broken` is what the store raises from now on."""

    held: dict[str, bytes] = field(default_factory=dict)
    broken: Exception | None = None

    def put(self, key: str, content: bytes | Path) -> None:
        if self.broken is not None:
            raise self.broken
        self.held[key] = content if isinstance(content, bytes) else content.read_bytes()

    def get(self, key: str) -> bytes:
        if key not in self.held:
            raise FileNotFoundError(f"memory://{key}")
        return self.held[key]

    def keys(self, prefix: str = "") -> list[str]:
        return sorted(key for key in self.held if key.startswith(prefix))

    def document(self, key: str) -> Any:
        return json.loads(self.held[key])


@dataclass
class Staged:
    """Stands for a running `LocalStack`."""

    outputs: dict[str, Any]
    objects: StagedObjects = field(default_factory=StagedObjects)
    started: Callable[[Mapping[str, Any]], str] = lambda _: "one"
    states: dict[str, State] = field(default_factory=dict)
    pids: list[int] = field(default_factory=list)
    dead: bool = False
    log: Path = Path("cloud.log")

    @property
    def file(self) -> SimpleNamespace:
        return SimpleNamespace(name="local")

    @property
    def cloud(self) -> SimpleNamespace:
        return SimpleNamespace(title="fake", check=self._check)

    @property
    def stack(self) -> LocalStack:
        return cast(LocalStack, self)

    def store(self, _: str) -> StagedObjects:
        return self.objects

    def execute(self, argument: Mapping[str, Any]) -> str:
        return self.started(argument)

    def executions(self) -> Mapping[str, State]:
        return self.states

    def workers(self, _: str) -> list[int]:
        return self.pids

    def _check(self) -> None:
        if self.dead:
            raise CloudFailed("the cloud has died; its log: cloud.log")
