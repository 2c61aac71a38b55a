"""One copy (instance) of a function: a functions-framework process."""

from __future__ import annotations

import http.client
import socket
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcloud.gcp.cloudrun.build import Build
from localcloud.support.http_server import HOP, Request, Response
from localcloud.support.ports import LOOPBACK, held_port
from localcloud.support.process import Child
from localcloud.support.size_limits import available, within
from localcloud.support.workspace import clear

START_SECONDS = 60
HAND_OVER = """\
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""A program that runs a command with a socket, as systemd does: https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html.

The framework's server, gunicorn, then listens on that socket. It would bind a port by itself otherwise, and another
process may have taken the port by then.
"""
LOG_LINES = 12


class InstanceFailed(RuntimeError):
    """A copy of a function did not begin to listen. The message holds its last log lines."""


class InstanceGone(RuntimeError):
    """A copy of a function ended during a call."""


class TookTooLong(RuntimeError):
    """No copy of a function responded in time."""


ENFORCE = "ENFORCE_SIZE"
"""The variable of a function that is to run within the processor share and the memory of its size."""
PERIOD_MS = 100
"""Of a quota of the processor's time: the kernel's default, https://docs.kernel.org/scheduler/sched-bwc.html."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """What an instance has: memory, and how much of a processor."""

    memory_mb: int
    processors: float


class Instance:
    """A process that has been started; `begin` waits until it listens.

    Its environment holds `variables` and those that every process needs. It may use what the machine has, unless its
    variables ask for no more than its size.
    """

    def __init__(self, build: Build, variables: Mapping[str, str], log: Path, size: Size | None = None) -> None:
        self.busy = 0
        """The number of calls that it is processing."""
        self.used = time.monotonic()
        """When a call last began or ended, by the monotonic clock."""
        self.listens = False
        self._log = log
        self._temporary = Path(tempfile.mkdtemp(prefix="tmp-", dir=log.parent))
        # Its server makes a socket below HOME, whose path has at most 107 characters: unix(7).
        self._home = Path(tempfile.mkdtemp(prefix="serverless-ml-"))
        self._holder = held_port()
        self._port = self._holder.getsockname()[1]
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self._home),
            "TMPDIR": str(self._temporary),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            **variables,
            "PORT": str(self._port),
        }
        holder = self._holder.fileno()
        command = [str(build.python), "-I", "-S", "-c", HAND_OVER, str(holder), *build.command(self._port)]
        if size is not None and ENFORCE in variables and available():
            command = within(command, share=size.processors, period_ms=PERIOD_MS, memory_mb=size.memory_mb)
        self._child = Child(command, env=environment, cwd=build.source, log=log, inherits=(holder,))

    @property
    def group(self) -> int:
        """Its process group."""
        return self._child.pid

    @property
    def over(self) -> bool:
        """Whether it has ended by itself."""
        return self._child.code() is not None

    def begin(self) -> None:
        """Wait until it listens. Raises `InstanceFailed` when it ends, and after `START_SECONDS`."""
        # The port is held until then, also where its process ends: nobody else answers there.
        with self._holder:
            self._wait()
        self.listens = True

    def _wait(self) -> None:
        end = time.monotonic() + START_SECONDS
        while not self._reachable():
            code = self._child.code()
            if code is not None:
                raise InstanceFailed(f"its process ended with code {code} before it listened; {self._last_lines()}")
            if time.monotonic() > end:
                raise InstanceFailed(f"its process did not listen within {START_SECONDS} s; {self._last_lines()}")
            time.sleep(0.01)

    def call(self, request: Request, seconds: float) -> Response:
        """Send a request and return the response.

        Raises `TookTooLong` after `seconds`, and `InstanceGone` when the response is incomplete.
        """
        if self.over:
            raise InstanceGone("its process has ended")
        connection = http.client.HTTPConnection(LOOPBACK, self._port, timeout=seconds)
        try:
            connection.request(request.method, request.path, request.body or None, dict(request.headers))
            response = connection.getresponse()
            headers = [(key, value) for key, value in response.getheaders() if key.lower() not in HOP]
            return Response(response.status, headers, response.read())
        except TimeoutError as problem:
            raise TookTooLong(f"no response within {seconds:g} s") from problem
        except (OSError, http.client.HTTPException) as problem:
            raise InstanceGone(str(problem)) from problem
        finally:
            connection.close()

    def stop(self) -> None:
        """Kill it with its children, and remove its temporary files. Safe to call twice."""
        self._child.stop()
        self._holder.close()
        clear(self._temporary)
        clear(self._home)

    def _reachable(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self._port), timeout=1):
                return True
        except OSError:
            return False

    def _last_lines(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        return "\n  ".join([f"its log is {self._log}", *lines])
