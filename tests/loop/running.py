"""The running local stack, as the tests here use it."""

from __future__ import annotations

import csv
import http.client
import io
import json
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest

from infra import blueprint, environment, stack_functions
from infra.function_spec import FunctionSpec
from infra.keys import Access, Keys
from infra.settings import KEY
from infra.vocabulary import Grant
from interface import layout, variables
from interface.window import Window
from localcloud.commands.callers import Callers
from localcloud.commands.watch import FINAL_STATES, Watch
from localcloud.engine.cloud import Objects
from localcloud.engine.stack import LocalStack
from localcloud.engine.stack_file import merged
from models.breast_cancer import sample
from tests.loop import versions
from tests.sml.called import Said, called

MODEL = versions.MODEL
PREDICT = f"/models/{MODEL}/predict"
SECONDS = 120
PAUSE_SECONDS = 0.05
POINTER_SECONDS = 1
"""As the local stacks say."""
T = TypeVar("T")

Answer = tuple[int, Mapping[str, str], Any]


class Running:
    """One stack that every test of a pytest worker shares. Each test uses rows of its own, so no two share a run.

    A live pointer that was written directly is waited for by whoever asks the API, sends a job or takes the stack
    itself: a test that trains for seconds need not wait before.
    """

    def __init__(self, stack: LocalStack, state: Path) -> None:
        """`state` is the folder by which commands reach the stack."""
        self._stack = stack
        self.state = state
        self.data = stack.store(stack.outputs["data_url"])
        self.models = stack.store(stack.outputs["models_url"])
        self._jobs = stack.store(stack.outputs["jobs_url"])
        self._written: tuple[str, float] | None = None
        """The champion of a live pointer that a copy of a function may not have read yet, and when it was written."""
        self._followed = -1
        """The revision of the live pointer that every copy of a function has read."""

    def sml(self, *arguments: str, given: str = "") -> Said:
        """Run a command of `sml` on the stack, with `given` on standard input."""
        self._follow()
        return called(*arguments, state=self.state, given=given)

    @property
    def stack(self) -> LocalStack:
        """The stack, once every copy of a function has read the live pointer."""
        self._follow()
        return self._stack

    @property
    def jobs(self) -> Objects:
        """The store of jobs, once every copy of a function has read the live pointer."""
        self._follow()
        return self._jobs

    # Training ------------------------------------------------------------------------------

    def upload(self, name: str, content: bytes) -> str:
        """Upload a dataset, which starts a run, and return the run's id."""
        watch = Watch(self.models, MODEL)
        self.data.put(f"{MODEL}/incoming/{name}", content)
        return watch.new_run(SECONDS)

    def train(self, name: str, content: bytes) -> dict[str, Any]:
        """Upload a dataset, wait until its run has ended, and return its record."""
        return self.over(self.upload(name, content))

    def over(self, run: str) -> dict[str, Any]:
        return self.reached(run, *FINAL_STATES)

    def reached(self, run: str, *states: str) -> dict[str, Any]:
        """Return the run's record once it is in one of the states, or over."""
        return Watch(self.models, MODEL).reached(run, *states, seconds=SECONDS)

    def idle(self) -> None:
        """Wait until no execution is running."""
        self.wait(lambda: not self._stack.executions(running=True) or None, "every execution to end")

    @contextmanager
    def without(self, entry: str, access: Access) -> Generator[None]:
        """Deploy a function without one of its grants for as long as the block lasts, once no other run can miss it."""
        self.idle()
        whole = stack_functions.grants

        def fewer(spec: FunctionSpec, *more: Any, **named: Any) -> tuple[Grant, ...]:
            grants = whole(spec, *more, **named)
            return tuple(grant for grant in grants if spec.name != entry or grant.access is not access)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stack_functions, "grants", fewer)
            assert self._stack.deploy(), "the grant to take away was not found"
        try:
            yield
        finally:
            self._stack.deploy()

    @contextmanager
    def unannounced(self, window: Window | None = None) -> Generator[None]:
        """Deploy the stack so that nobody hears of uploaded datasets for as long as the block lasts.

        With `window` its schedule has that one, which may be as short as no setting can say.
        """
        everywhere = blueprint.keys_of

        def elsewhere(models: Sequence[str], prefixes: Sequence[str]) -> Keys:
            return everywhere(models, ("elsewhere/",) if tuple(prefixes) == (layout.INCOMING,) else prefixes)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blueprint, "keys_of", elsewhere)
            if window is not None:
                patch.setitem(environment.VALUES, variables.WINDOW, lambda _: window.to_json())
            assert self._stack.deploy(), "the arrival to take away was not found"
            yield
        self._stack.deploy()

    @contextmanager
    def with_settings(self, settings: Mapping[str, Any]) -> Generator[None]:
        """Deploy the stack with other settings for as long as the block lasts."""
        before = self._stack.file
        current = json.loads(before.config[KEY])
        self._stack.file = replace(before, config={**before.config, KEY: json.dumps(merged(current, settings))})
        try:
            assert self._stack.deploy(), "the settings changed nothing"
            yield
        finally:
            self._stack.file = before
            self._stack.deploy()

    # Releases ------------------------------------------------------------------------------

    def register(self, onnx: bytes) -> str:
        return versions.register(self.models.put, onnx)

    def release(self, version: str) -> str:
        """Start the release of a registered version, and return its run."""
        watch = Watch(self.models, MODEL)
        self._stack.execute({"model": MODEL, "version": version})
        return watch.new_run(SECONDS)

    def live(self) -> dict[str, Any]:
        return Watch(self.models, MODEL).live()

    def reset(self) -> str:
        """Make one known version the champion, whatever is live, and return it."""
        version, live = self.register(versions.blunt()), self.live()
        if live.get("champion") != version or live.get("challenger"):
            self.put_live(version)
        elif live["revision"] != self._followed:
            self._written = (version, time.monotonic())
        return version

    def put_live(self, version: str, previous: str | None = None) -> None:
        """Write the live pointer directly, without a release."""
        live = self.live()
        pointer = {"revision": live.get("revision", 0) + 1, "champion": version, "history": live.get("history", [])}
        rest = {"challenger": None, "weight": 0, "previous": previous, "release": None}
        self.models.put(f"{MODEL}/live.json", json.dumps({**pointer, **rest}).encode())
        self._written = (version, time.monotonic())

    def _follow(self) -> None:
        """Wait until the version that was made live answers, and no copy may use the pointer it read before."""
        if self._written is None:
            return
        (version, at), self._written = self._written, None
        # Twice as long as a copy uses what it has read: reading takes its time on a slow machine.
        time.sleep(max(0.0, at + 2 * POINTER_SECONDS - time.monotonic()))
        if self.wait(lambda: self._answers(version), f"{version} to answer"):
            self._followed = self.live().get("revision", 0)

    def _answers(self, version: str) -> bool | None:
        """Return whether a version answers; False where a release has meanwhile made another live, None not yet."""
        if self.live().get("champion") != version:
            return False
        return self.answering() == version or None

    def answering(self) -> str | None:
        """Return the version that the API's metadata names."""
        _, _, metadata = self.get(f"/v2/models/{MODEL}")
        return metadata["versions"][0] if "versions" in metadata else None

    def versions(self) -> set[str]:
        return {key.split("/")[2] for key in self.models.keys(f"{MODEL}/versions/")}

    # The API -------------------------------------------------------------------------------

    def get(self, path: str) -> Answer:
        return self.call("GET", path, b"", {})

    def post(self, path: str, body: object, **headers: str) -> Answer:
        """POST a body as JSON, or bytes as they are."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("POST", path, raw, {"content-type": "application/json", **named})

    def call(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection(urlsplit(self.stack.outputs["endpoint"]).netloc, timeout=60)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return response.status, fields, json.loads(content) if content else None
        finally:
            connection.close()

    def callers(self, instances: Sequence[Mapping[str, object]], model: str = MODEL) -> Callers:
        """Return callers of a model: enough for a judge's minimum in a second, and few beside the work of the stack."""
        return Callers(self.stack.outputs["models"][model]["predict"], instances, pause_seconds=PAUSE_SECONDS)

    def wait(self, look: Callable[[], T | None], what: str) -> T:
        return Watch(self.models, MODEL).wait_for(look, SECONDS, what)


def rows(start: int, stop: int) -> list[dict[str, Any]]:
    """Return cases of the sample by column, with the target."""
    instances, labels = sample.instances()
    return [{**case, sample.TARGET: label} for case, label in list(zip(instances, labels, strict=True))[start:stop]]


def csv_of(table: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns or sample.header(), lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue().encode()


def later(seconds: float) -> Callable[[], bool]:
    """Return a function that tells whether some seconds have passed since this call."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end
