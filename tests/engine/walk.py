"""A stack in an embedded cloud that goes from one change to the next under traffic."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Set
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from infra.settings import KEY
from models.breast_cancer import sample
from tests.changes.difference import Drawn
from tests.engine import foretold
from tests.engine.embedded import MODEL, SECONDS, STACKS, Embedded
from tests.engine.former import NotThere, former, registered
from tests.engine.permissions import Watched, watched
from tests.engine.traffic import Traffic
from tests.loop import versions

COPIES = ("an_early_one", "late")
"""Models that come and go: copies of `MODEL`."""
ASKED = 8
HOUR = 3600


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is different from the stack's own settings, and the functions whose code is edited."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    edited: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Done:
    """What came of a change."""

    steps: Mapping[str, str]
    """What was done to each resource, by its URN without stack and project."""
    foretold: Mapping[str, str]
    """What the graphs say."""
    traffic: Traffic
    permissions: Watched | None
    """None on AWS, where a policy is replaced as a whole."""


@dataclass(frozen=True, kw_only=True)
class Upgraded:
    """What became of an older program's stack."""

    traffic: Traffic
    permissions: Watched
    outputs: Mapping[str, Any]
    after: Set[str]
    """The resources in the stack's state, by their URNs without stack and project."""
    refreshed: Mapping[str, str]
    """What a refresh found otherwise than the state has it."""
    previewed: Mapping[str, str]
    """What another `up` would do."""


class Walk:
    """Goes from one change to the next, which undoes the one before: each way is gone twice."""

    def __init__(self, stack: Embedded) -> None:
        self.stack = stack
        self._base = self._file()["config"][KEY]
        self._edits: dict[str, int] = {}
        self._at: Drawn = foretold.drawn(self._base, self._edits)
        self.upgraded: Upgraded | None = None
        """What became of the stack of an older program; None where none was deployed."""
        self.why_not = ""
        """Why none was, where one should have been."""
        # On AWS an older program has the same names, and its archives take a minute to build.
        if stack.name != "gcp" or not self._upgrade():
            stack.project.deploying("up")
            self._serve()
        for name in COPIES:
            copy = stack.project.root / "models" / name
            shutil.copytree(copy.with_name(MODEL), copy)
            stack.project.edit(f"models/{name}/model.yaml", f"name: {MODEL}", f"name: {name}")

    def _upgrade(self) -> bool:
        """Deploy the older program, and then today's; return False where there is no older one."""
        project = self.stack.project
        try:
            with former(project):
                project.deploying("up")
                with tempfile.TemporaryDirectory() as folder:
                    version, objects = registered(project, Path(folder), MODEL, versions.right())
        except NotThere as reason:
            self.why_not = str(reason)
            return False
        self._make_live(version, objects)
        with self.watched() as permissions, self.traffic() as traffic:
            project.deploying("up")
        assert permissions is not None
        self.upgraded = Upgraded(
            traffic=traffic,
            permissions=permissions,
            outputs=self.stack.outputs(),
            after={foretold.short(urn) for urn in project.urns()},
            refreshed=project.deploying("refresh").steps,
            previewed=project.deploying("preview").steps,
        )
        return True

    def _serve(self) -> None:
        """Have one version of the model answer."""
        objects: dict[str, bytes] = {}
        self._make_live(versions.register(objects.__setitem__, versions.right()), objects)

    def _make_live(self, version: str, objects: Mapping[str, bytes]) -> None:
        store = self.stack.cloud.store(self.stack.outputs()["models_url"])
        for key, content in objects.items():
            store.put(key, content)
        live = {"revision": 1, "champion": version, "history": [], "challenger": None, "weight": 0}
        store.put(f"{MODEL}/live.json", json.dumps({**live, "previous": None, "release": None}).encode())

    @cached_property
    def outputs(self) -> Mapping[str, Any]:
        """The outputs of the stack when it was first asked, which no change here is about."""
        return self.stack.outputs()

    def go(self, change: Change, *, up: Callable[[], list[Mapping[str, str]]] | None = None) -> Done:
        """Make a change under traffic, by one `up` unless it is told another way."""
        self._write(change)
        for name in change.edited:
            file = self.stack.project.root / "functions" / "entries" / f"{name}.py"
            file.write_text(file.read_text(encoding="utf-8") + "# Edited.\n", encoding="utf-8")
            self._edits[name] = self._edits.get(name, 0) + 1
        after = foretold.drawn({**self._base, **change.settings}, self._edits)
        expected, self._at = foretold.steps(self._at, after), after
        with self.watched() as permissions, self.traffic() as traffic:
            ended = up() if up else [self.stack.project.deploying("up").steps]
        return Done(steps=_together(ended), foretold=expected, traffic=traffic, permissions=permissions)

    def dying(self, after: int) -> list[Mapping[str, str]]:
        """An `up` whose plugin is killed when some changes are done, and the `up` that comes next."""
        project = self.stack.project
        with self.stack.halting(after) as halted, project.begin("up", "--yes", "--skip-preview") as up:
            assert halted.reached.wait(SECONDS)
            for plugin in project.plugins():
                os.kill(plugin, signal.SIGKILL)
            assert up.wait(SECONDS) != 0
        return [project.steps(), project.deploying("up").steps]

    def killed(self, after: int) -> list[Mapping[str, str]]:
        """An `up` whose CLI is killed when some changes are done, and what the docs say to do then.

        Meanwhile, and until then, nobody else's goes through.
        """
        project = self.stack.project
        with (
            self.stack.halting(after) as halted,
            project.begin("up", "--yes", "--skip-preview", PULUMI_SKIP_CHECKPOINTS="false"),
        ):
            assert halted.reached.wait(SECONDS)
            first = project.steps()
            self._is_locked()
        self._is_locked()
        project.pulumi("cancel", "--yes")
        project.deploying("refresh", "--clear-pending-creates")
        return [first, project.deploying("up").steps]

    def _is_locked(self) -> None:
        refused = self.stack.project.pulumi("up", "--yes", "--skip-preview", code=None)
        assert refused.code != 0
        assert "the stack is currently locked" in refused.output

    def traffic(self) -> Traffic:
        """Return a client that may call the model whatever the settings say."""
        cases = sample.instances()[0][:ASKED]
        return Traffic(self.outputs["models"][MODEL]["predict"], cases, self._headers)

    @contextmanager
    def watched(self) -> Generator[Watched | None]:
        """Watch the policies of GCP."""
        with watched(self.stack.cloud.session.bindings) if self.stack.name == "gcp" else nullcontext() as found:
            yield found

    def _headers(self) -> Mapping[str, str]:
        """Return what a caller sends who signs his requests; whoever need not may."""
        if (caller := self.caller) is None:
            return {}
        now = int(time.time())
        claims = {"iss": caller, "sub": caller, "aud": caller, "iat": now, "exp": now + HOUR}
        return {"authorization": f"Bearer {self.stack.cloud.session.signer.sign(caller, claims)}"}

    @property
    def caller(self) -> str | None:
        """The account of the callers on GCP; None on AWS, and in a stack that has none yet."""
        if self.stack.name == "aws":
            return None
        known = list(self.stack.cloud.session.accounts._known)
        return next((email for email in known if email.startswith("api-caller-")), None)

    def _file(self) -> dict[str, Any]:
        return yaml.safe_load(self._path.read_text(encoding="utf-8"))

    def _write(self, change: Change) -> None:
        document = self._file()
        document["config"][KEY] = {**self._base, **change.settings}
        self._path.write_text(json.dumps(document), encoding="utf-8")

    @property
    def _path(self) -> Any:
        return self.stack.project.root / f"Pulumi.{STACKS[self.stack.name]}.yaml"


def _together(ended: list[Mapping[str, str]]) -> dict[str, str]:
    """Return what was done to each resource by all of them, but for components, which are nothing in a cloud."""
    steps = {urn: step for one in ended for urn, step in one.items()}
    short = {foretold.short(urn): step for urn, step in steps.items()}
    return {key: step for key, step in short.items() if "serverless-ml:" not in key.split("::")[0].split("$")[-1]}
