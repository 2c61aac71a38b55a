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
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import grpc
from google.protobuf.empty_pb2 import Empty  # ty: ignore[missing-module-member] - protobuf makes it when it is imported
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from localcloud.cli.serving import UNLIMITED, wait_for_the_end

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

    def InstallDependencies(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Make the virtual environment of Pulumi.yaml, and install requirements.txt into it; yield what pip prints."""
        root = Path(request.info.root_directory)
        python = _interpreter(request.info)
        requirements = Path(request.info.program_directory) / "requirements.txt"
        if not python.is_file():
            yield from self._show([sys.executable, "-m", "venv", str(python.parents[1])], root, context)
        if requirements.is_file():
            pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "-r", str(requirements)]
            yield from self._show(pip, root, context)

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
        python = _interpreter(info)
        command = [str(python), str(self._executor), *arguments, info.entry_point, *request.args]
        if not python.is_file():
            missing = f"{python.parents[1]} is not there: `pulumi install` makes it, as does every command of make"
            return language_pb2.RunResponse(error=missing)
        child = subprocess.Popen(command, env={**os.environ, **variables}, stdin=subprocess.DEVNULL)
        with self._running(child, context):
            code = child.wait()
        if code == BAIL:
            return language_pb2.RunResponse(bail=True)
        return language_pb2.RunResponse(error="" if code == 0 else f"program exited with non-zero exit code: {code}")

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """Run a plugin that is written in Python, such as a policy pack, and yield its output and its exit code."""
        program = Path(request.info.program_directory) / request.info.entry_point
        command = [str(_interpreter(request.info)), "-u", str(program), *request.args]
        child = _start(command, request.pwd or None, dict(entry.split("=", 1) for entry in request.env))
        with self._running(child, context):
            for name, line in _lines(child):
                yield _plugin_output(name, line)
            yield language_pb2.RunPluginResponse(exitcode=child.wait())

    def _show(self, command: Sequence[str], folder: Path, context: grpc.ServicerContext) -> Iterator[Any]:
        """Run a command, and yield what it prints. The call fails with the command's exit code when it does."""
        child = _start(command, folder, {})
        with self._running(child, context):
            for name, line in _lines(child):
                yield (
                    language_pb2.InstallDependenciesResponse(stdout=line)
                    if name == "stdout"
                    else language_pb2.InstallDependenciesResponse(stderr=line)
                )
            if code := child.wait():
                context.abort(grpc.StatusCode.UNKNOWN, f"{Path(command[0]).name} ended with exit code {code}")

    def Cancel(self, request: Any, context: Any) -> Any:
        """End the programs that run."""
        self.close()
        return Empty()

    def close(self) -> None:
        """End the programs that run."""
        for child in tuple(self._children):
            child.terminate()

    @contextlib.contextmanager
    def _running(self, child: subprocess.Popen[bytes], context: grpc.ServicerContext) -> Generator[None]:
        """Keep a program in the list of those that run; it ends with the call that asked for it."""
        self._children.add(child)
        context.add_callback(child.terminate)
        try:
            yield
        finally:
            self._children.discard(child)


def _interpreter(info: Any) -> Path:
    """Return the Python of the virtual environment that Pulumi.yaml names, or the one that runs this."""
    folder = dict(info.options).get("virtualenv")
    return Path(info.root_directory) / folder / "bin" / "python" if folder else Path(sys.executable)


def _start(command: Sequence[str], folder: Path | str | None, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command),
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _lines(child: subprocess.Popen[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the lines of a program's two streams as they come, each with the name of its stream."""
    lines: queue.Queue[tuple[str, bytes]] = queue.Queue()

    def read(name: str, stream: IO[bytes]) -> None:
        for line in stream:
            lines.put((name, line))
        lines.put((name, b""))

    streams = {"stdout": child.stdout, "stderr": child.stderr}
    for name, stream in streams.items():
        threading.Thread(target=read, args=(name, stream), daemon=True).start()
    open_streams = len(streams)
    while open_streams:
        name, line = lines.get()
        if line:
            yield name, line
        else:
            open_streams -= 1


def _plugin_output(name: str, line: bytes) -> Any:
    if name == "stdout":
        return language_pb2.RunPluginResponse(stdout=line)
    return language_pb2.RunPluginResponse(stderr=line)


def main(executor: Path, arguments: Sequence[str]) -> int:
    """Serve until the CLI ends this process: it interrupts it, which is no mistake to report."""
    host = LanguageHost(executor, engine=next((one for one in arguments if not one.startswith("-")), ""))
    server = grpc.server(ThreadPoolExecutor(THREADS), options=UNLIMITED)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    wait_for_the_end()
    host.close()
    server.stop(grace=None).wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
