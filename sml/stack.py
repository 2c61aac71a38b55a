"""A stack that a command works on: its outputs, its stores, its workflow."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sml.clouds import Cloud, Way, account, schemes
from sml.embedded_cloud import EmbeddedCloud
from sml.here import ROOT, Here
from sml.mistake import Mistake, Unreachable
from sml.typed import Typed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.storage.objects import Objects
    from sml.records import Records

TAKES_IN_SECONDS = 15.0
"""How long a stack that is up here may take to deploy a model that was just written."""
VERSION = "1"
"""The version of the outputs that this release reads: docs/outputs.schema.json."""
NO_CAPTURES = "the outputs of this stack name no store of captures, as an older release deployed it: run `pulumi up`"
NEEDED = ("endpoint", "models", "data_url", "models_url", "jobs_url", "jobs_dead_letters", "workflow", "callers")


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack that is up, here or in an account."""

    name: str
    outputs: Mapping[str, Any]
    here: Here | None = None
    """The process that runs it, if it is up on this machine."""
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What the stores' client needs beyond what it finds in the environment."""
    way: Way | None = field(default=None, repr=False)
    """How the cloud itself is reached, if it is embedded here."""
    typed: Typed = field(default_factory=Typed, repr=False)
    """Writes a command for this stack, as it was named."""

    @property
    def models(self) -> list[str]:
        return sorted(self.outputs["models"])

    def model(self, name: str) -> str:
        """Return a model's name. Raise `Mistake` for one that the stack does not serve."""
        hint = ""
        if name not in self.outputs["models"] and self.here and (ROOT / "models" / name / "model.yaml").is_file():
            self._await(name)
            hint = (
                f"; models/{name} is there: a line `edited` of `make up` says when it is in the stack, or why it is not"
            )
        if name not in self.outputs["models"]:
            known = ", ".join(self.models)
            raise Mistake(f"there is no model {name} in the stack {self.name}; there are: {known}{hint}")
        return name

    def function(self, name: str) -> Mapping[str, str]:
        """Return where the log and the queue of a function are. Raise `Mistake` for one that the stack does not have.

        A stack that an older release deployed does not say: that is a `Mistake`, too.
        """
        functions = self.outputs.get("functions")
        if functions is None:
            raise Mistake(
                f"the outputs of the stack {self.name} name no functions, as an older release deployed it: deploy again"
            )
        if name not in functions:
            raise Mistake(f"there is no function {name} in the stack {self.name}; there are: {', '.join(functions)}")
        return functions[name]

    def _await(self, name: str) -> None:
        """Wait for a model whose folder is there and which the stack that is up here may be about to take in."""
        until = time.monotonic() + TAKES_IN_SECONDS
        while self.here and name not in self.outputs["models"] and time.monotonic() < until:
            time.sleep(0.2)
            self.outputs["models"].update(self.here.ask("facts")["outputs"].get("models") or {})

    @cached_property
    def data(self) -> Objects:
        """The store of datasets."""
        return self._open("data_url")

    @cached_property
    def registry(self) -> Objects:
        """The store of versions, runs and live pointers."""
        return self._open("models_url")

    def records(self, model: str) -> Records:
        """Return what the registry says of a model. Raise `Mistake` for one that the stack does not serve."""
        from sml.records import Records  # noqa: PLC0415 - the stores' client takes long to import

        return Records(self.registry, self.model(model), self.typed)

    @cached_property
    def jobs(self) -> Objects:
        """The store of jobs."""
        return self._open("jobs_url")

    @cached_property
    def cloud(self) -> Cloud:
        if self.here is not None:
            return EmbeddedCloud(self.here, lambda: account(self.scheme, self.way))
        return account(self.scheme)

    @cached_property
    def captures(self) -> Objects:
        """The store of captures. Raise `Mistake` where the outputs name none."""
        if "captures_url" not in self.outputs:
            raise Mistake(NO_CAPTURES)
        return self._open("captures_url")

    @property
    def scheme(self) -> str:
        """How the URLs of its stores begin."""
        return str(self.outputs["data_url"]).partition("://")[0]

    def _open(self, output: str) -> Objects:
        from functions.core.storage.store_url import open_store  # noqa: PLC0415 - the client takes long to import

        return open_store(self.outputs[output], options=self.options or None, patience_seconds=15)


def find_stack(name: str | None = None, outputs: Path | None = None, state: Path | None = None) -> Stack:
    """Return the stack of this name, or with these outputs, or the one that is up here.

    Raise `Unreachable` where there is none, and `Mistake` for outputs that are not a stack's.
    """
    return replace(_find(name, outputs, state), typed=Typed(stack=name, outputs=outputs, state=state))


def _find(name: str | None, outputs: Path | None, state: Path | None) -> Stack:
    if outputs is not None:
        return _embedded(state, name or outputs.stem, _checked(_read(outputs), str(outputs)))
    if name is None:
        here = Here(state)
        return _of_facts(here, here.ask("facts"))
    up = _up_here(state)
    if up is not None and name == up["stack"]:
        return _of_facts(Here(state), up)
    if (ROOT / f"Pulumi.{name}.yaml").is_file() and (name == "local" or name.endswith("-local")):
        also = f"; up here is {up['stack']}" if up is not None else ""
        raise Unreachable(f"the stack {name} is not up here{also}: start it with `make up`")
    return Stack(name=name, outputs=_checked(_ask_pulumi(name), f"the outputs of the stack {name}"))


def _up_here(state: Path | None) -> Mapping[str, Any] | None:
    """Return the facts of what runs here, None where nothing does."""
    try:
        return Here(state).ask("facts")
    except Unreachable:
        return None


def _of_facts(here: Here, facts: Mapping[str, Any]) -> Stack:
    """Return the stack that runs here. Raise `Unreachable` where nothing is deployed into it yet."""
    name = facts["stack"]
    if facts["outputs"]:
        return _trusted(here, facts, name, _checked(facts["outputs"], f"the outputs of the stack {name}"))
    raise Unreachable(
        f"nothing is deployed yet into the cloud of {name} that is up here: see its terminal; after `pulumi up` "
        "pass what `pulumi stack output --json` prints: --outputs FILE"
    )


def _embedded(state: Path | None, name: str, outputs: Mapping[str, Any]) -> Stack:
    """Return the stack with these outputs: in the empty cloud that the Pulumi CLI deploys into here, or an account."""
    facts = _up_here(state)
    if facts is None or facts["outputs"]:
        return Stack(name=name, outputs=outputs)
    return _trusted(Here(state), facts, name, outputs)


def _trusted(here: Here, facts: Mapping[str, Any], name: str, outputs: Mapping[str, Any]) -> Stack:
    if facts["certificate"]:
        # The stores' client trusts what this names when it is first used.
        os.environ["SSL_CERT_FILE"] = facts["certificate"]
    way = Way(endpoint=facts["endpoint"], options=facts["options"], certificate=facts["certificate"] or "")
    return Stack(name=name, outputs=outputs, here=here, options=facts["options"], way=way)


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as problem:
        raise Mistake(f"{file} cannot be read: {problem.strerror}") from None
    except ValueError:
        raise Mistake(f"{file} is not JSON: accepted is what `pulumi stack output --json` prints") from None


def _ask_pulumi(name: str) -> Any:
    command = ["pulumi", "stack", "output", "--json", "--stack", name, "--non-interactive"]
    try:
        asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    except FileNotFoundError:
        raise Unreachable(
            "the Pulumi CLI is not installed, which knows the outputs of a stack; or pass them: --outputs FILE"
        ) from None
    except subprocess.TimeoutExpired:
        raise Unreachable(f"`{' '.join(command)}` took longer than two minutes") from None
    if asked.returncode:
        said = " ".join(asked.stderr.split()).removeprefix("error: ")[:300]
        raise Unreachable(f"the outputs of the stack {name} cannot be read: {said or 'pulumi said nothing'}")
    return json.loads(asked.stdout or "{}")


def _checked(document: Any, where: str) -> dict[str, Any]:
    if not isinstance(document, dict) or not document:
        raise Mistake(f"{where}: a JSON object with the outputs is accepted; has `pulumi up` run?")
    version = document.get("api_version")
    if version != VERSION:
        raise Mistake(f"{where}: they are of version {version}; this release reads version {VERSION}")
    if missing := [name for name in NEEDED if name not in document]:
        raise Mistake(f"{where}: {', '.join(missing)} missing; they are listed in docs/outputs.schema.json")
    scheme = str(document["data_url"]).partition("://")[0]
    if scheme not in schemes():
        accepted = ", ".join(f"{one}://" for one in sorted(schemes()))
        raise Mistake(f"{where}: data_url begins with {scheme}://; accepted: {accepted}")
    return document
