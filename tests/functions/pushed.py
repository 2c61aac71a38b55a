"""Recorded requests as functions-framework passes them on, and a running functions-framework."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import flask
from werkzeug.test import EnvironBuilder

from infra.bundle import main
from infra.function_table import named
from localcloud.gcp.cloudrun.build import Build
from localcloud.support.ports import LOOPBACK, free_port
from localcloud.support.process import Child
from tests.functions.serving import event
from tests.root import ROOT

START_SECONDS = 60


def recorded(name: str, **headers: str) -> tuple[str, str, dict[str, str], bytes]:
    """Return method, path, headers and body of a recorded request, with some headers changed."""
    recording = event(name)
    body = recording["body"]
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return recording["method"], recording["path"], {**recording["headers"], **headers}, data


def request(name: str, **headers: str) -> flask.Request:
    method, path, sent_headers, data = recorded(name, **headers)
    return flask.Request(
        EnvironBuilder(method=method, path=path, headers=list(sent_headers.items()), data=data).get_environ()
    )


class Framework:
    """A functions-framework that serves one function over HTTP, as the cloud's build starts it."""

    def __init__(self, port: int, child: Child) -> None:
        self.port = port
        self._child = child

    def send(self, method: str, path: str, headers: Mapping[str, str], body: Any = b"") -> tuple[int, Any, bytes]:
        """Send a request; return status, headers and body. A body that is a generator is sent in chunks."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=60)
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def replay(self, name: str, **headers: str) -> tuple[int, Any, bytes]:
        return self.send(*recorded(name, **headers))

    def logged(self) -> list[dict[str, Any]]:
        """Return the lines of JSON that the function wrote."""
        lines = self._child.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@contextmanager
def serving(
    command: Callable[[int], list[str]], workspace: Path, variables: Mapping[str, str]
) -> Generator[Framework, None, None]:
    """Run a functions-framework, with no environment but the variables; `command(port)` starts it."""
    workspace.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "HOME": str(workspace), "LOG_EXECUTION_ID": "true", **variables}
    child = Child(command(port), env=environment, cwd=workspace, log=workspace / "log")
    try:
        _wait(port, child)
        yield Framework(port, child)
    finally:
        child.stop()


def framework(entry: str, workspace: Path, variables: Mapping[str, str]) -> AbstractContextManager[Framework]:
    """Run one function of the GCP adapter from its main.py, with this project's own packages."""
    workspace.mkdir(parents=True)
    (workspace / "main.py").write_text(main(named(entry), "gcp"), encoding="utf-8")
    build = Build(source=workspace, python=Path(sys.executable))
    return serving(build.command, workspace, {"PYTHONPATH": str(ROOT), **variables})


def _wait(port: int, child: Child) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
        try:
            connection.request("GET", "/robots.txt")
            connection.getresponse().read()
        except OSError:
            assert child.code() is None, child.log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, child.log.read_text(encoding="utf-8")
            time.sleep(0.02)
        else:
            return
        finally:
            connection.close()
