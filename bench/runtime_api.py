"""Serve Lambda's Runtime API on the loopback interface, for one invocation by the real runtime client.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from bench.measure import Sample

SECONDS = 120


class Failed(RuntimeError):
    """The function reported an error or ended, and did not answer."""


class RuntimeApi:
    """A server that gives one event to the first client, and records the time of its response."""

    def __init__(self, event: Mapping[str, Any]) -> None:
        self.event = json.dumps(event).encode()
        self.responses: queue.Queue[tuple[float, str, bytes]] = queue.Queue()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        cast("Any", self._server).api = self
        self.delivered = threading.Event()
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore broken connections: the client is killed once it has answered."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        api = self._api
        if api.delivered.is_set():
            time.sleep(SECONDS)  # there is no second event: the client waits, as on Lambda
            return
        api.delivered.set()
        self.send_response_only(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + SECONDS) * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:000000000000:function:f")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(api.event)))
        self.end_headers()
        self.wfile.write(api.event)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._api.responses.put((time.perf_counter(), self.path, body))
        self.send_response_only(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    @property
    def _api(self) -> RuntimeApi:
        return cast("Any", self.server).api


def first_answer(command: Sequence[str], *, env: Mapping[str, str], cwd: Path, event: Mapping[str, Any]) -> Sample:
    """Start a function's process, measure the time to the response to its first event, and kill it.

    Raises `Failed` with the function's output when the response is not a 200.
    """
    api = RuntimeApi(event)
    began = time.perf_counter()
    process = subprocess.Popen(
        list(command),
        env={**env, "AWS_LAMBDA_RUNTIME_API": api.address},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        at, path, body = api.responses.get(timeout=SECONDS)
    except queue.Empty:
        at, path, body = 0.0, "nothing", b""
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        output = process.stdout.read() if process.stdout else b""
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
        api.close()
    if not path.endswith("/response") or _status(body) != 200:
        raise Failed(f"{path}: {(body or output)[-2000:].decode(errors='replace')}")
    return Sample(seconds=at - began, cpu_seconds=used.ru_utime + used.ru_stime, peak_mib=used.ru_maxrss / 1024)


def _status(body: bytes) -> int | None:
    try:
        return json.loads(body).get("statusCode")
    except (ValueError, AttributeError):
        return None


def ended(command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Sample:
    """Run a command and measure it from start to end. Raises `Failed` for any exit code but 0."""
    began = time.perf_counter()
    process = subprocess.Popen(
        list(command), env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = process.stdout.read() if process.stdout else b""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"{command[0]} ended with {process.returncode}: {output[-2000:].decode(errors='replace')}")
    return Sample(seconds=seconds, cpu_seconds=used.ru_utime + used.ru_stime, peak_mib=used.ru_maxrss / 1024)
