"""A stack that is up, of which a test says everything: what lies in its stores, and what its process answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from functions.core.storage.objects import Objects
from localcloud.commands.control import FILE, Control
from tests.sml.called import Said, called

MODEL = "penguins"
OUTPUTS = {
    "api_version": "1",
    "endpoint": "http://127.0.0.1:9",
    "models": {
        name: {kind: f"http://127.0.0.1:9/{name}/{kind}" for kind in ("predict", "infer", "jobs", "metadata")}
        for name in (MODEL, "whales")
    },
    "data_url": "s3://data-1",
    "models_url": "s3://models-1",
    "jobs_url": "s3://jobs-1",
    "captures_url": "s3://captures-1",
    "functions": {
        "predict": {"logs": "arn:aws:logs:eu-west-1:1:log-group:predict-logs-1"},
        "jobs": {
            "logs": "arn:aws:logs:eu-west-1:1:log-group:jobs-logs-1",
            "dead_letters": "https://sqs.eu-west-1.amazonaws.com/1/dead",
        },
        "labels": {
            "logs": "arn:aws:logs:eu-west-1:1:log-group:labels-logs-1",
            "queue": "https://sqs.eu-west-1.amazonaws.com/1/labels",
            "dead_letters": "https://sqs.eu-west-1.amazonaws.com/1/labels-dead",
        },
    },
    "jobs_dead_letters": "https://sqs.eu-west-1.amazonaws.com/1/dead",
    "workflow": "arn:aws:states:eu-west-1:1:stateMachine:training",
    "callers": "",
}


class Staged:
    """Calls `sml` on the stack."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.outputs: dict[str, Any] = json.loads(json.dumps(OUTPUTS))
        self.stores = {url: Objects.in_memory() for url in ("s3://data-1", "s3://models-1", "s3://jobs-1")}
        self.started: list[Mapping[str, Any]] = []
        self.sent: list[Any] = []
        self.logged: list[str] = []
        self.logs: dict[str, list[str]] = {}
        """Of functions that logged something else."""
        self.alarms: list[dict[str, Any]] = []
        self.resources: list[dict[str, str]] = []
        self.options: dict[str, str] = {}
        self.endpoint = "http://127.0.0.1:9"

    @property
    def data(self) -> Objects:
        return self.stores["s3://data-1"]

    @property
    def registry(self) -> Objects:
        return self.stores["s3://models-1"]

    def sml(self, *arguments: str, given: str = "") -> Said:
        return called(*arguments, state=self.state, given=given)

    def run(self, name: str, model: str = MODEL, **facts: Any) -> None:
        """Put the record of a run into the registry."""
        record = {"run": name, "model": model, "status": "promoted", "created": "2026-11-30T04:44:02+00:00", **facts}
        self.registry.put_json(f"{model}/runs/{name}/run.json", record)

    def start(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        self.started.append(fields["argument"])
        return {"execution": "arn:aws:states:eu-west-1:1:execution:training:id-7"}

    def commands(self) -> dict[str, Any]:
        facts = {"stack": "local", "options": self.options, "endpoint": self.endpoint, "certificate": None}
        return {
            "facts": lambda _: {**facts, "outputs": self.outputs},
            "start": self.start,
            "send": lambda fields: self.sent.append((fields["function"], fields["message"])) or {},
            "logs": lambda fields: {"lines": self.logs.get(fields["function"], self.logged)[-fields["lines"] :]},
            "alarms": lambda _: {"alarms": self.alarms},
            "resources": lambda _: {"resources": self.resources},
            "redrive": lambda fields: {"moved": {"jobs": 1, "labels": 2}[fields["function"]]},
        }


@pytest.fixture
def staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Staged]:
    stack = Staged(tmp_path)
    monkeypatch.setattr("functions.core.storage.store_url.open_store", lambda url, **_: stack.stores[url])
    with ExitStack() as up:
        up.enter_context(Control(tmp_path / FILE, stack.commands()))
        yield stack
