"""The embedded GCP: its services on the loopback address, and a handler for every type of resource that is declared."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from localcloud.engine.alarms import Monitoring, Sample
from localcloud.engine.cloud import SHOWN_BYTES, CloudFailed, Entrance, QueuePart, State
from localcloud.engine.events import Event
from localcloud.engine.quotas import account_quotas
from localcloud.engine.resource_handler import Resource
from localcloud.engine.stack_file import ROOT, StackFile
from localcloud.gcp import alarms
from localcloud.gcp.cloudrun.quotas import KNOWN
from localcloud.gcp.project import Project
from localcloud.gcp.provider_functions import PROVIDER_FUNCTIONS
from localcloud.gcp.pubsub.dead_letters import DeadLetters
from localcloud.gcp.pubsub.message import Message
from localcloud.gcp.resources import ABSENT, HANDLERS
from localcloud.gcp.storage.objects import Objects
from localcloud.support.http_client import Upstream
from localcloud.support.process import members

STATES = {"ACTIVE": State.RUNNING, "SUCCEEDED": State.SUCCEEDED}
PROJECT, REGION = "local-project", "europe-west1"
"""The project and the region of a stack that sets neither."""
OWNER = "the user of this machine"


def interpreter() -> Path:
    """Return the Python of the emulator's environment; `SERVERLESS_ML_EMULATOR_GCP` names another environment."""
    return Path(os.environ.get("SERVERLESS_ML_EMULATOR_GCP", ROOT / ".local" / "emulator-gcp")) / "bin" / "python"


class Gcp:
    """A running embedded GCP, empty until something is deployed."""

    title = "GCP"
    emulator = "fake-gcs-server"
    function = "gcp:cloudfunctionsv2/function:Function"
    workflow = "gcp:workflows/workflow:Workflow"
    queue = QueuePart(type="gcp:pubsub/topic:Topic", suffix="-topic")
    failed = QueuePart(type="gcp:pubsub/subscription:Subscription", suffix="-dead-letters-kept")
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
            quotas=account_quotas(stack, KNOWN),
        )
        self.session.start()

    @property
    def groups(self) -> tuple[int, ...]:
        """The process groups of the storage and of each copy of each function."""
        return (self.session.storage.pid, *self.session.functions.groups)

    @property
    def certificate(self) -> None:
        return None

    @property
    def entrance(self) -> Entrance:
        credentials = {"token": self.session.owner, "owner": OWNER}
        return Entrance(
            endpoint=self.session.api.url,
            certificate=None,
            credentials=credentials,
            store_options={"base_url": self.session.storage.url, "bearer_token": self.session.owner},
        )

    @property
    def log(self) -> Path:
        return self.session.log

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the result of a provider function. Raises `KeyError` for an unknown token."""
        return PROVIDER_FUNCTIONS[token](self.session, args)

    def check(self) -> None:
        """Raise `CloudFailed`, which names the log, if the storage has ended: the others run in this process."""
        self.session.storage.check()

    def outputs(self, declared: Mapping[str, Any]) -> dict[str, Any]:
        """Return the outputs with `http://` before the gateway's address: the program writes `https://`."""
        return {key: _plain(value) for key, value in declared.items()}

    def store(self, url: str) -> Objects:
        """Return the objects of the bucket at `gs://bucket`."""
        return self.session.storage.objects(url.removeprefix("gs://").rstrip("/"), self.session.owner)

    def send(self, queue: Resource, content: bytes) -> None:
        """Publish a message to a topic."""
        self.session.pubsub.publish(queue.id, [Message(data=content)])

    def dead_letters(self, name: str) -> DeadLetters:
        """Return the dead letters that a subscription holds. Raises `LookupError` for an unknown subscription."""
        return DeadLetters(self.session.pubsub, name)

    def lines(self, function: Resource, limit: int) -> list[str]:
        """Return the newest `limit` lines that a function logged, oldest first."""
        return self.session.functions.lines(function.outputs["name"], limit)

    def events(self) -> list[Event]:
        """Return what happened since the last call."""
        return self.session.events()

    def monitoring(self, resources: Iterable[Resource]) -> Monitoring:
        """Return what is declared of metrics and alarms."""
        return alarms.monitoring(resources)

    def counted(self, resources: Iterable[Resource]) -> Iterator[Sample]:
        """Yield what the services count, whatever alarms read."""
        del resources
        return alarms.counted(self.session, self.session.functions.answers, time.time())

    def workers(self, function: Resource) -> list[int]:
        """Return the ids of the processes of all copies of a function."""
        return list(members({copy.group for copy in self.session.functions.copies(function.outputs["name"])}))

    def invoke(self, function: Resource, payload: Mapping[str, Any]) -> Any:
        """Call a function, and return its answer. Raises `CloudFailed`, with what it said, where it fails."""
        upstream = Upstream(function.outputs["serviceConfig"]["uri"])
        headers = {"authorization": f"Bearer {self.session.owner}", "content-type": "application/json"}
        try:
            response = upstream.send("POST", "/", json.dumps(payload).encode(), headers)
        finally:
            upstream.close()
        if response.status >= 300:
            raise CloudFailed(f"{function.declared.name}: {response.body.decode(errors='replace')[:SHOWN_BYTES]}")
        return json.loads(response.body)

    def execute(self, workflow: str, argument: Mapping[str, Any]) -> str:
        """Start a workflow, by its full name, and return the id of the execution."""
        return self.session.workflows.start(workflow, dict(argument)).id

    def executions(self, workflow: str, *, running: bool = False) -> dict[str, State]:
        """Return the state of each execution of a workflow, by the execution's id; with `running`, of those that do."""
        executions = self.session.workflows.executions(workflow, "ACTIVE" if running else None)
        return {execution.id: STATES.get(execution.state, State.FAILED) for execution in executions}

    def stop(self) -> None:
        """Stop everything. Safe to call twice."""
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
