"""Workflows, in this process: a document is parsed when it is deployed, and executions run in threads.

docs/decisions/0008-workflows-are-interpreted-here.md says why the language is interpreted here,
and what the emulator that was tried got wrong.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.gcp.pubsub.pubsub import NotFound, Token
from localcloud.gcp.workflows.calls import Calls, Transport, over_http
from localcloud.gcp.workflows.document import read
from localcloud.gcp.workflows.errors import Refused
from localcloud.gcp.workflows.execution import ACTIVE, CANCELLED, FAILED, SUCCEEDED, Execution, Failure, Running
from localcloud.gcp.workflows.interpreter import Interpreter, Services
from localcloud.gcp.workflows.library import functions
from localcloud.gcp.workflows.scope import MEMORY, size_of
from localcloud.gcp.workflows.steps import Document

__all__ = ["ACTIVE", "CANCELLED", "FAILED", "SUCCEEDED", "Execution", "Failure", "NotFound", "Refused", "Workflows"]


@dataclass(frozen=True, kw_only=True)
class _Deployed:
    """The current revision of a workflow, and the executions of all revisions by id."""

    document: Document
    service_account: str
    env: Mapping[str, str]
    revision: str
    executions: dict[str, Running] = field(default_factory=dict)


class Workflows:
    """Every workflow of a project, by full name (`projects/p/locations/l/workflows/w`), and its executions.

    A workflow's requests with `auth` carry `token(service account, audience)`. The end of every
    execution and the texts of `sys.log` are logged.
    """

    def __init__(
        self,
        *,
        token: Token,
        log: Callable[[str], None],
        project_number: str = "0",
        now: Callable[[], float] = time.time,
        transport: Transport = over_http,
    ) -> None:
        self._token, self._log, self._number = token, log, project_number
        self._now, self._transport = now, transport
        self._deployed: dict[str, _Deployed] = {}
        self._lock = threading.Lock()

    def deploy(
        self, name: str, source_contents: str, service_account: str, env: Mapping[str, str] | None = None
    ) -> str:
        """Deploy a revision for later executions, and return its id. Raises `Refused`, which names the step."""
        document = read(source_contents)
        with self._lock:
            before = self._deployed.get(name)
            number = int(before.revision.partition("-")[0]) + 1 if before else 1
            digest = hashlib.sha256(source_contents.encode()).hexdigest()[:3]
            self._deployed[name] = _Deployed(
                document=document,
                service_account=service_account,
                env=dict(env or {}),
                revision=f"{number:06}-{digest}",
                executions=before.executions if before else {},
            )
            return self._deployed[name].revision

    def has(self, name: str) -> bool:
        """Return whether a workflow is deployed."""
        with self._lock:
            return name in self._deployed

    def delete(self, name: str) -> None:
        """Delete a workflow and cancel its executions. An unknown one is ignored."""
        with self._lock:
            deployed = self._deployed.pop(name, None)
        for running in deployed.executions.values() if deployed else ():
            running.cancel()

    def start(self, name: str, argument: Any = None) -> Execution:
        """Start an execution. Raises `NotFound`, and `ValueError` for an argument that is too large or not JSON."""
        copied = _copied(argument)
        with self._lock:
            deployed = self._find(name)
            execution = Execution(
                id=str(uuid.uuid4()),
                workflow=name,
                revision=deployed.revision,
                argument=copied,
                started=self._now(),
            )
            running = Running(execution, now=self._now, log=lambda line: self._log(f"{name}: {line}"))
            deployed.executions[execution.id] = running
        interpreter = Interpreter(deployed.document, self._services(deployed, running))
        running.begin(lambda: interpreter.run(_copied(argument)))
        return execution

    def execution(self, name: str, identity: str) -> Execution:
        """Return an execution by its id. Raises `NotFound`."""
        with self._lock:
            return self._running(name, identity).execution

    def executions(self, name: str, state: str | None = None) -> list[Execution]:
        """Return the executions, newest first, in one state or in any. Raises `NotFound`."""
        with self._lock:
            executions = [running.execution for running in self._find(name).executions.values()]
        return [execution for execution in reversed(executions) if state in (None, execution.state)]

    def ended(self) -> list[Execution]:
        """Return the executions of every workflow that have ended."""
        with self._lock:
            running = [one for deployed in self._deployed.values() for one in deployed.executions.values()]
        return [execution for execution in (one.execution for one in running) if execution.state != ACTIVE]

    def cancel(self, name: str, identity: str) -> Execution:
        """Cancel an execution. Raises `NotFound`, and `ValueError` for one that has ended."""
        with self._lock:
            running = self._running(name, identity)
        if not running.cancel():
            raise ValueError(f"execution {identity} is {running.execution.state}; only an {ACTIVE} one is cancelled")
        return running.execution

    def stop(self) -> None:
        """Delete every workflow. Safe to call twice."""
        for name in list(self._deployed):
            self.delete(name)

    def _services(self, deployed: _Deployed, running: Running) -> Services:
        execution = running.execution
        _, project, _, location, _, workflow = execution.workflow.split("/")
        env = {
            **deployed.env,
            "GOOGLE_CLOUD_PROJECT_ID": project,
            "GOOGLE_CLOUD_PROJECT_NUMBER": self._number,
            "GOOGLE_CLOUD_LOCATION": location,
            "GOOGLE_CLOUD_WORKFLOW_ID": workflow,
            "GOOGLE_CLOUD_WORKFLOW_REVISION_ID": execution.revision,
            "GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID": execution.id,
            "GOOGLE_CLOUD_SERVICE_ACCOUNT_NAME": deployed.service_account,
        }
        return Services(
            functions=functions(env, self._now),
            http=Calls(lambda audience: self._token(deployed.service_account, audience), self._transport),
            wait=running.wait,
            check=running.check,
            log=lambda line: self._log(f"{execution.workflow}: {execution.id} {line}"),
        )

    def _find(self, name: str) -> _Deployed:
        if name not in self._deployed:
            raise NotFound(f"workflow {name} does not exist")
        return self._deployed[name]

    def _running(self, name: str, identity: str) -> Running:
        executions = self._find(name).executions
        if identity not in executions:
            raise NotFound(f"execution {identity} of {name} does not exist")
        return executions[identity]


def _copied(argument: Any) -> Any:
    """Return a copy that the caller cannot change. Raises `ValueError` if it is too large or not JSON."""
    try:
        text = json.dumps(argument, allow_nan=False)
    except TypeError as problem:
        raise ValueError(f"the argument is not JSON: {problem}") from None
    if size_of(argument) > MEMORY:
        raise ValueError(f"the argument has {size_of(argument)} bytes; accepted: {MEMORY}")
    return json.loads(text)
