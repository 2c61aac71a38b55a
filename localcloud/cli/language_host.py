"""The Pulumi CLI's host of Python programs: runs the program for a preview, an update or a destroy.

The CLI starts it as `pulumi-language-python`, and reads the port from its first line of output. A program runs
in the interpreter that runs this, under `pulumi-language-python-exec` of Pulumi's own SDK, which lies beside
the command. Whoever has the CLI installed has Pulumi's own host too; this one is for where the CLI was built
from its Go module, which has no host.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import grpc
from google.protobuf.empty_pb2 import Empty  # ty: ignore[missing-module-member] - protobuf makes it when it is imported
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from localcloud.cli.messages import UNLIMITED

EXECUTOR = "pulumi-language-python-exec"
BAIL = 32
"""The exit code of a program whose error was shown to the user already."""
THREADS = 8


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers the calls of Pulumi's language protocol for one run of the CLI.

    `executor` is the script that runs a program; `engine` the CLI's own address, if it is known at the start.
    """

    def __init__(self, executor: Path, engine: str = "") -> None:
        self._executor = executor
        self._engine = engine
        self._children: set[subprocess.Popen[bytes]] = set()

    def Handshake(self, request: Any, context: Any) -> Any:
        """Keep the CLI's address."""
        self._engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Return the version of the SDK."""
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi"))

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        """Return none: which providers there are is decided by what is on PATH."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        """Return none, as above."""
        return language_pb2.GetRequiredPluginsResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        """Return what is installed where the program runs."""
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=one.name, version=one.version)
                for one in importlib.metadata.distributions()
            ]
        )

    def About(self, request: Any, context: Any) -> Any:
        """Return the interpreter and its version."""
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        """Ask nothing: the options are in Pulumi.yaml."""
        return language_pb2.RuntimeOptionsResponse()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        """Say that the environment is there: this host runs in it."""
        yield language_pb2.InstallDependenciesResponse(
            stdout=f"the program runs in the environment of {sys.executable}\n".encode()
        )

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Run the program, and return its error unless it has shown it."""
        info = request.info
        options = {
            "pwd": info.program_directory,
            "project": request.project,
            "stack": request.stack,
            "parallel": str(request.parallel),
            "dry_run": "true" if request.dryRun else "false",
            "monitor": request.monitor_address,
            "engine": self._engine,
            "organization": request.organization,
            "root_directory": info.root_directory,
        }
        variables = {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        command = [sys.executable, str(self._executor), *arguments, info.entry_point, *request.args]
        child = subprocess.Popen(command, env={**os.environ, **variables}, stdin=subprocess.DEVNULL)
        with self._running(child, context):
            code = child.wait()
        if code == BAIL:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error="" if code == 0 else f"program exited with non-zero exit code: {code}")

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Run a plugin that is written in Python, such as a policy pack, and yield its output and its exit code."""
        program = Path(request.info.program_directory) / request.info.entry_point
        variables = dict(entry.split("=", 1) for entry in request.env)
        child = subprocess.Popen(
            [sys.executable, "-u", str(program), *request.args],
            cwd=request.pwd or None,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        lines: queue.Queue[Any] = queue.Queue()
        readers = [
            threading.Thread(target=_read, args=(stream, wrap, lines), daemon=True)
            for stream, wrap in ((child.stdout, _stdout), (child.stderr, _stderr))
        ]
        with self._running(child, context):
            for reader in readers:
                reader.start()
            for _ in readers:
                yield from iter(lines.get, None)
            yield language_pb2.RunPluginResponse(exitcode=child.wait())

    def Cancel(self, request: Any, context: Any) -> Any:
        """End the programs that run."""
        self.close()
        return Empty()

    def close(self) -> None:
        """End the programs that run."""
        for child in tuple(self._children):
            child.terminate()

    @contextlib.contextmanager
    def _running(self, child: subprocess.Popen[bytes], context: grpc.ServicerContext) -> Iterator[None]:
        """Keep a program in the list of those that run; it ends with the call that asked for it."""
        self._children.add(child)
        context.add_callback(child.terminate)
        try:
            yield
        finally:
            self._children.discard(child)


def _stdout(line: bytes) -> Any:
    return language_pb2.RunPluginResponse(stdout=line)


def _stderr(line: bytes) -> Any:
    return language_pb2.RunPluginResponse(stderr=line)


def _read(stream: IO[bytes], wrap: Callable[[bytes], Any], lines: queue.Queue[Any]) -> None:
    """Pass a stream on line by line, and None at its end."""
    for line in stream:
        lines.put(wrap(line))
    lines.put(None)


def main(executor: Path, arguments: Sequence[str]) -> int:
    """Serve until the CLI ends this process: it interrupts it, which is no mistake to report."""
    over = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda _signal, _frame: over.set())
    host = LanguageHost(executor, engine=next((one for one in arguments if not one.startswith("-")), ""))
    server = grpc.server(ThreadPoolExecutor(THREADS), options=UNLIMITED)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    over.wait()
    host.close()
    server.stop(grace=None).wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
