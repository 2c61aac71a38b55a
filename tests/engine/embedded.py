"""A project whose stack the Pulumi CLI deploys into an embedded cloud."""

from __future__ import annotations

import json
import math
import threading
import urllib.request
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from localcloud.cli.provider import serve
from localcloud.engine.cloud import EmbeddedCloud, start
from localcloud.engine.resource_handler import ResourceHandler
from localcloud.engine.stack_file import StackFile
from tests.engine.project import Ended, Project

STACKS: Mapping[str, str] = {"aws": "local", "gcp": "gcp-local"}
MODEL = "breast_cancer"
SECONDS = 200


class Halting:
    """A provider that passes everything on, and can hold back the changes of a while."""

    def __init__(self, cloud: EmbeddedCloud) -> None:
        self.session, self.absent = cloud.session, cloud.absent
        self._cloud = cloud
        self._change = threading.Condition()
        self._passing, self._running = math.inf, 0
        self.reached = threading.Event()
        """Set when a change is held."""
        self.handlers: Mapping[str, ResourceHandler] = {
            type_: replace(
                handler,
                create=self._held(handler.create),
                update=self._held(handler.update),
                delete=self._held(handler.delete),
            )
            for type_, handler in cloud.handlers.items()
        }

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._cloud.call(token, args)

    def hold(self, after: int) -> None:
        """Hold back every change but the next `after`."""
        self.reached.clear()
        with self._change:
            self._passing = after

    def free(self) -> None:
        """Let go of what is held, and wait until it is done."""
        with self._change:
            self._passing = math.inf
            self._change.notify_all()
            assert self._change.wait_for(lambda: not self._running, SECONDS)

    def _held(self, change: Any) -> Any:
        def held(*order: Any) -> Any:
            with self._change:
                self._running += 1
                if not self._passing:
                    self.reached.set()
                self._change.wait_for(lambda: self._passing)
                self._passing -= 1
            try:
                return change(*order)
            finally:
                with self._change:
                    self._running -= 1
                    self._change.notify_all()

        return change and held


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """The project, and the cloud that its one stack is deployed into."""

    project: Project
    cloud: EmbeddedCloud
    provider: Halting
    name: str

    @contextmanager
    def halting(self, after: int = 0) -> Generator[Halting]:
        """Hold back every change in the cloud for as long as the block lasts, but for the first `after`."""
        self.provider.hold(after)
        try:
            yield self.provider
        finally:
            self.provider.free()

    def deploy(self) -> Ended:
        """Preview, deploy, and check that the preview has promised just what was then done."""
        preview, up = self.project.deploying("preview"), self.project.deploying("up")
        assert up.steps == preview.steps
        return up

    def predict(self, instances: Iterable[Mapping[str, object]]) -> list[Any]:
        """Return what the stack's API predicts."""
        url = self.outputs()["models"][MODEL]["predict"]
        body = json.dumps({"instances": list(instances)}).encode()
        request = urllib.request.Request(url, body, {"content-type": "application/json"})  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return json.loads(response.read())["predictions"]

    def outputs(self) -> Mapping[str, Any]:
        """Return the stack's outputs, with the addresses that are valid on this machine."""
        return self.cloud.outputs(self.project.outputs())


@contextmanager
def embedded(name: str, project: Project, workspace: Path) -> Generator[Embedded]:
    """Start an embedded cloud, for a project whose stack is not there yet."""
    cloud = start(StackFile.read(STACKS[name]), workspace, port=0, progress=lambda _: None)
    try:
        provider = Halting(cloud)
        with serve(name, provider, project.state):
            yield Embedded(project=project, cloud=cloud, provider=provider, name=name)
    finally:
        cloud.stop()
