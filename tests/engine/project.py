"""A project as a Pulumi user has it, and the commands that he types in it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.cli.installation import Installation
from localcloud.engine.program import Declared, Registered
from localcloud.engine.resource_handler import Resource
from tests import nimbus
from tests.engine.interpreters import Interpreters
from tests.root import ROOT

SECONDS = 280
PASSPHRASE = "correct horse"
PROGRAM = ("functions", "infra", "interface", "models")
"""What the program reads of this project."""
QUICK = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true", "GOGC": "off"}
"""A state that is written once, and no garbage collection: a command of the CLI fills 200 MB at most."""
KEPT = ("bundles", "gcp")
"""What is built once for every copy of the project: it is named by its content."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A command that has ended, and what the CLI reports of the resources that it came by."""

    code: int
    output: str
    """What it printed, on both streams."""
    steps: Mapping[str, str]
    """By URN, what is done or would be done to it: `create`, `update`, `replace`, `delete`."""

    @property
    def counts(self) -> dict[str, int]:
        """How many resources are created, updated, replaced and deleted; none of those that stay."""
        return dict(Counter(self.steps.values()))

    def names(self, operation: str) -> set[str]:
        """Return the names of the resources that one thing is done to."""
        return {urn.split("::")[-1] for urn, step in self.steps.items() if step == operation}


class Project:
    """A copy of this project in a folder of its own, with a backend of its own.

    Its commands are quick, unless they are `plain`: every Python that the CLI starts is the fork of a warm
    interpreter, and the CLI writes a stack's state at the end of a command alone.
    """

    def __init__(self, folder: Path, installation: Installation, interpreters: Interpreters) -> None:
        self.root = nimbus.copied(folder / "project", PROGRAM, compiled=True)
        self.state = folder / "state"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PULUMI", "PYTHON"))},
            **installation.environment(self.state, PASSPHRASE),
            "PULUMI_DEBUG_COMMANDS": "true",
            # What `pulumi install` asks for is there already; nothing is fetched.
            "PIP_NO_INDEX": "true",
        }
        self._command = str(installation.command)
        self._events = folder / "events.json"
        self._interpreters = interpreters
        self._warm = folder / "warm"
        interpreters.write(self._warm / "bin" / "python")
        self._quick = True
        self.settle()

    def settle(self) -> None:
        """Have in the project what is installed and built once for every copy of it."""
        (self.root / ".local").mkdir()
        for kept in KEPT:
            (ROOT / ".local" / kept).mkdir(exist_ok=True)
            (self.root / ".local" / kept).symlink_to(ROOT / ".local" / kept)
        self._use(sys.prefix, self._warm)

    @contextmanager
    def plain(self) -> Generator[None]:
        """Have the CLI run as a user's does: in Pythons of its own, and with a state that it writes as it goes."""
        self._quick = False
        self._use(self._warm, sys.prefix)
        try:
            yield
        finally:
            self._quick = True
            self._use(sys.prefix, self._warm)

    def _use(self, before: Path | str, after: Path | str) -> None:
        """Have one Python in place of another, for the program and for what the CLI finds on PATH."""
        (self.root / ".venv").unlink(missing_ok=True)
        (self.root / ".venv").symlink_to(after)
        for plugin in (self.state / "plugins").iterdir():
            text = plugin.read_text(encoding="utf-8")
            plugin.write_text(text.replace(f"{before}/bin/python", f"{after}/bin/python"), encoding="utf-8")

    def leave(self) -> None:
        """Leave an empty folder in place of the project."""
        shutil.rmtree(self.root)
        self.root.mkdir()

    def pulumi(self, *arguments: str, code: int | None = 0, **environment: str) -> Ended:
        """Run the CLI, and check its exit code unless it is None."""
        self._events.unlink(missing_ok=True)
        done = subprocess.run(
            [self._command, *arguments, "--non-interactive"],
            cwd=self.root,
            env={**self.environment, **self._speed(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert code is None or done.returncode == code, done.stdout[-5000:]
        return Ended(code=done.returncode, output=done.stdout, steps=self.steps())

    @contextmanager
    def begin(self, *arguments: str, **environment: str) -> Generator[subprocess.Popen[bytes]]:
        """Start the CLI in a process group of its own, and end it at the end of the block if it still runs."""
        self._events.unlink(missing_ok=True)
        command = subprocess.Popen(
            [self._command, *arguments, "--event-log", str(self._events), "--non-interactive"],
            cwd=self.root,
            env={**self.environment, **self._speed(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield command
        finally:
            if command.poll() is None:
                os.killpg(command.pid, signal.SIGKILL)
            command.wait()

    def plugins(self) -> list[int]:
        """Return the processes of the plugins that the CLI has started here."""
        listed = subprocess.run(
            ["/bin/ps", "-A", "-ww", "-o", "pid=,command="], capture_output=True, text=True, check=True
        )
        rows = (line.split(None, 1) for line in listed.stdout.splitlines())
        return [int(pid) for pid, command in rows if "localcloud.cli.plugin" in command and str(self.state) in command]

    def urns(self) -> set[str]:
        """Return the URNs in the state of the selected stack, but for the stack's own and its providers'."""
        state = json.loads(self.pulumi("stack", "export").output)
        resources = state["deployment"]["resources"]
        return {one["urn"] for one in resources if not one["type"].startswith("pulumi:")}

    def resources(self) -> list[Resource]:
        """Return the resources of the selected stack, as its state has them."""
        state = json.loads(self.pulumi("stack", "export").output)
        return [
            Resource(
                declared=Declared(
                    urn=one["urn"],
                    type=one["type"],
                    name=one["urn"].split("::")[-1],
                    parent=one.get("parent", ""),
                    custom=True,
                    inputs=one.get("inputs", {}),
                ),
                registered=Registered(id=one["id"], outputs=one.get("outputs", {})),
                fingerprint="",
            )
            for one in state["deployment"]["resources"]
            if one.get("custom")
        ]

    def _speed(self) -> Mapping[str, str]:
        return {**QUICK, **self._interpreters.turn()} if self._quick else {}

    def steps(self) -> dict[str, str]:
        """Return what the last command has done, or tried to do, to each resource, as `Ended.steps` has it."""
        if not self._events.is_file():
            return {}
        steps: dict[str, str] = {}
        for line in self._events.read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            # What a refresh has found is in the event of its end.
            metadata = (event.get("resourcePreEvent") or event.get("resOutputsEvent") or {}).get("metadata")
            if metadata and not metadata["type"].startswith("pulumi:"):
                steps[metadata["urn"]] = OPERATIONS.get(metadata["op"], metadata["op"])
        return {urn: step for urn, step in steps.items() if step != "same"}

    def deploying(self, verb: str, *arguments: str, code: int | None = 0, **environment: str) -> Ended:
        """Preview, deploy, refresh or destroy the selected stack."""
        skip = {"preview": [], "destroy": ["--yes"]}.get(verb, ["--yes", "--skip-preview"])
        return self.pulumi(verb, *skip, "--event-log", str(self._events), *arguments, code=code, **environment)

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the selected stack."""
        done = subprocess.run(
            [self._command, "stack", "output", "--json"], cwd=self.root, env={**self.environment, **self._speed()},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)

    def edit(self, path: str, before: str, after: str) -> None:
        """Replace a text, which is there once, in a file of the project."""
        file = self.root / path
        text = file.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{path}: {before!r} is there {text.count(before)} times"
        file.write_text(text.replace(before, after), encoding="utf-8")


OPERATIONS = {
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "discard-replaced": "replace",
    "refresh": "same",
    "read": "same",
}
"""The steps of a replacement are one operation of whoever reads a preview."""
