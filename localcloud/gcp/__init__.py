"""The embedded GCP: its services on the loopback address, and a hand for every type of resource that is declared."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from localcloud.engine.cloud import State
from localcloud.engine.resource_handler import Made
from localcloud.engine.stack_file import ROOT, StackFile
from localcloud.gcp.invokes import INVOKES
from localcloud.gcp.project import Project
from localcloud.gcp.pubsub.dead_letters import DeadLetters
from localcloud.gcp.resources import ABSENT, HANDLERS
from localcloud.gcp.storage.objects import Objects
from localcloud.support.process import members

STATES = {"ACTIVE": State.RUNNING, "SUCCEEDED": State.SUCCEEDED}
PROJECT, REGION = "local-project", "europe-west1"
"""Where a stack stands that does not say so."""


def interpreter() -> Path:
    """The Python of the emulators' own environment; `SERVERLESS_ML_EMULATOR_GCP` names another environment."""
    return Path(os.environ.get("SERVERLESS_ML_EMULATOR_GCP", ROOT / ".local" / "emulator-gcp")) / "bin" / "python"


class Gcp:
    """An embedded GCP that is up."""

    title = "GCP"
    function = "gcp:cloudfunctionsv2/function:Function"
    workflow = "gcp:workflows/workflow:Workflow"
    handlers = HANDLERS
    absent = ABSENT

    def __init__(self, stack: StackFile, workspace: Path, *, port: int, progress: Callable[[str], None]) -> None:
        self.session = Project(
            interpreter(),
            workspace,
            name=stack.get("gcp:project", PROJECT),
            region=stack.get("gcp:region", REGION),
            port=port,
            progress=progress,
        )
        self.session.start()

    @property
    def groups(self) -> tuple[int, ...]:
        """The storage's, and one for each copy of each function."""
        return (self.session.storage.pid, *self.session.functions.groups)

    @property
    def certificate(self) -> None:
        return None

    @property
    def log(self) -> Path:
        return self.session.log

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        return INVOKES[token](self.session, args)

    def check(self) -> None:
        """Raises `CloudFailed`, with the log's name, if the storage has died: everything else is in this process."""
        self.session.storage.check()

    def outputs(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The gateway's address without TLS: the program knows that a gateway speaks it, and this one does not."""
        return {key: _plain(value) for key, value in found.items()}

    def store(self, url: str) -> Objects:
        """The objects behind `gs://bucket`."""
        return self.session.storage.objects(url.removeprefix("gs://").rstrip("/"), self.session.owner)

    def dead_letters(self, name: str) -> DeadLetters:
        """The dead letters that a subscription keeps."""
        return DeadLetters(self.session.pubsub, name)

    def lines(self, function: Made, limit: int) -> list[str]:
        """The newest lines that a function wrote, oldest first."""
        return self.session.functions.lines(function.outputs["name"], limit)

    def workers(self, function: Made) -> list[int]:
        """The processes of all copies of a function."""
        return list(members({copy.group for copy in self.session.functions.copies(function.outputs["name"])}))

    def execute(self, workflow: str, argument: Mapping[str, Any]) -> str:
        """Start a workflow, by its full name; returns the id of the execution."""
        return self.session.workflows.start(workflow, dict(argument)).id

    def executions(self, workflow: str) -> dict[str, State]:
        found = self.session.workflows.executions(workflow)
        return {one.id: STATES.get(one.state, State.FAILED) for one in found}

    def stop(self) -> None:
        """End everything. Safe to call twice."""
        self.session.stop()


def _plain(value: Any) -> Any:
    match value:
        case str():
            return value.replace("https://127.0.0.1:", "http://127.0.0.1:")
        case dict():
            return {key: _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case _:
            return value


start = Gcp
