"""The Pulumi CLI of this machine: the one on PATH if it is new enough, else one that Go builds once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from localcloud.engine.stack_file import ROOT

MODULE = ROOT / "requirements" / "pulumi"
"""The Go module that pins the CLI."""
PROGRAM = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK = "github.com/pulumi/pulumi/sdk/v3"
OLDEST_CLI, OLDEST_GO = (3, 200, 0), (1, 26, 6)
"""The oldest versions that work: of a CLI on PATH, and of the Go that builds one."""
BUILDING = "building the Pulumi CLI {version} with Go, once: about four minutes on two cores"
COMMAND, HOST, EXECUTOR = "pulumi", "pulumi-language-python", "pulumi-language-python-exec"
PACKAGES = tuple(sorted(path.parents[1].name for path in ROOT.glob("localcloud/*/resources/__init__.py")))
"""The providers that an embedded cloud stands for, each by the folder of its cloud."""
ADDRESS = "engine-{package}.address"
"""The file, in the folder of a run, in which a running cloud says where its provider is served: `host:port`."""


class NotAvailable(RuntimeError):
    """There is no CLI on this machine, and none can be built. The message says why."""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A CLI that is ready to run."""

    command: Path
    version: str
    executor: Path | None = None
    """What runs a program under a host of our own; None where the CLI has Pulumi's host."""

    def environment(self, state: Path, passphrase: str) -> Mapping[str, str]:
        """Return the variables of its commands, in addition to those of this process.

        State, plugins and logins are in `state`, apart from those of the user. Secrets are encrypted
        with `passphrase`.
        """
        plugins = _write_plugins(state, self.executor)
        backend = state / "backend"
        backend.mkdir(parents=True, exist_ok=True)
        return {
            "PATH": os.pathsep.join(
                [str(plugins.resolve()), str(self.command.parent), os.environ.get("PATH", os.defpath)]
            ),
            "PULUMI_HOME": str((state / "home").resolve()),
            "PULUMI_BACKEND_URL": backend.resolve().as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": passphrase,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }


def install(folder: Path, say: Callable[[str], None]) -> Installation:
    """Return the CLI on PATH if it is new enough and has its host, else the one that Go builds into `folder`.

    `say` is told before what takes minutes. Raises `NotAvailable`.
    """
    try:
        return _on_path()
    except NotAvailable as reason:
        missing = str(reason)
    return _built(folder.resolve(), say, missing)


def _on_path() -> Installation:
    command = shutil.which(COMMAND)
    if command is None:
        raise NotAvailable("there is no Pulumi CLI on PATH")
    version = next(iter(re.findall(r"^v?(\d+\.\d+\.\d+\S*)$", _output([command, "version"]), re.M)), "")
    if not version:
        raise NotAvailable("the Pulumi CLI on PATH does not tell its version")
    if _numbers(version) < OLDEST_CLI:
        raise NotAvailable(f"the Pulumi CLI on PATH is {version}, older than {_text(OLDEST_CLI)}")
    if shutil.which(HOST, path=os.pathsep.join([str(Path(command).parent), os.environ.get("PATH", "")])) is None:
        raise NotAvailable("the Pulumi CLI on PATH has no host for Python beside it")
    return Installation(command=Path(command), version=version, executor=None)


def _built(folder: Path, say: Callable[[str], None], reason: str) -> Installation:
    lock = (MODULE / "go.sum").read_bytes() + (MODULE / "go.mod").read_bytes()
    target = folder / hashlib.sha256(lock).hexdigest()[:16]
    command, executor, version = target / COMMAND, target / EXECUTOR, _pinned()
    target.mkdir(parents=True, exist_ok=True)
    with (target / ".building").open("w") as building:
        # Tests run in several processes, of which one builds and the others wait.
        fcntl.flock(building, fcntl.LOCK_EX)
        if not (command.is_file() and executor.is_file()):
            _build(command, executor, version, lambda: say(BUILDING.format(version=version)), reason)
    return Installation(command=command, version=version, executor=executor)


def _build(command: Path, executor: Path, version: str, begins: Callable[[], None], reason: str) -> None:
    go = shutil.which("go")
    if go is None:
        raise NotAvailable(f"{reason}, and no Go to build it")
    if _numbers(found := _output([go, "env", "GOVERSION"]).removeprefix("go")) < OLDEST_GO:
        raise NotAvailable(f"{reason}, and Go is {found}: {_text(OLDEST_GO)} or newer builds it")
    begins()
    fresh = command.with_suffix(".fresh")
    flags = f"-s -w -X {SDK}/go/common/version.Version=v{version}"
    _go([go, "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", str(fresh), PROGRAM], reason)
    sources = Path(_go([go, "list", "-m", "-f", "{{.Dir}}", SDK], reason))
    shutil.copyfile(sources / "python" / "cmd" / EXECUTOR, executor)
    fresh.replace(command)


def _go(command: list[str], reason: str) -> str:
    environment = {**os.environ, "CGO_ENABLED": "0"}
    # A SIGTERM that came while Go is started would leave it running, known to nobody: it waits until there is a `go`.
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        with subprocess.Popen(
            command, cwd=MODULE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as go:
            try:
                signal.pthread_sigmask(signal.SIG_SETMASK, held)
                printed, complaints = go.communicate()
            except BaseException:
                go.kill()
                raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
    if go.returncode != 0:
        last = (complaints.strip().splitlines() or ["no message"])[-1]
        raise NotAvailable(f"{reason}, and Go does not build it: {last}")
    return printed.strip()


def _write_plugins(state: Path, executor: Path | None) -> Path:
    """Write the commands that the CLI finds on PATH, and return their folder."""
    folder = state / "plugins"
    folder.mkdir(parents=True, exist_ok=True)
    scripts: dict[str, tuple[str, ...]] = {}
    for package in PACKAGES:
        address = (state / ADDRESS.format(package=package)).resolve()
        scripts[f"pulumi-resource-{package}"] = ("localcloud.cli.plugin", package, str(address))
    if executor is not None:
        scripts[HOST] = ("localcloud.cli.language_host", str(executor.resolve()))
    for name, (module, *arguments) in scripts.items():
        # The path is no variable: the program that a host starts would inherit it.
        code = (
            f"import runpy, sys; sys.path.insert(0, {str(ROOT)!r}); runpy.run_module({module!r}, run_name='__main__')"
        )
        command = shlex.join([sys.executable, "-c", code, *arguments])
        script = folder / name
        fresh = script.with_suffix(f".{os.getpid()}")
        fresh.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        fresh.chmod(0o755)
        fresh.replace(script)
    return folder


def _pinned() -> str:
    """Return the version of the CLI that the Go module requires."""
    (version,) = re.findall(
        r"^(?:require)?\s*github\.com/pulumi/pulumi/pkg/v3 v(\S+)$", (MODULE / "go.mod").read_text(), re.M
    )
    return version


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def main(folder: Path) -> int:
    """Have the CLI ready for the tests that run it, or print why they are left out."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and Go ends with this process
    try:
        install(folder, print)
    except NotAvailable as reason:
        print(f"left out: tests/engine, since {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
