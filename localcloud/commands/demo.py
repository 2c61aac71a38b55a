"""The demonstration: the whole life of a model on real data, start to finish.

Two datasets arrive one after the other. The first version goes live at once, the second by
canary; then two cases that neither was trained on are predicted. A bring-your-own model
classifies a few files by their content, and a file of many cases becomes a job. A model that
is named is shown alone, with the data of its sample.
"""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.settings import KEY
from interface import layout
from localcloud.commands import demo_example, demo_files, demo_job
from localcloud.commands.callers import Callers, ask
from localcloud.commands.demo_example import HELD_OUT, Example
from localcloud.commands.demo_run import PATIENCE_SECONDS, DemoFailed, DemoRun
from localcloud.commands.embedded import require_embedded
from localcloud.commands.progress import Progress
from localcloud.commands.up import deploy
from localcloud.commands.watch import FINAL_STATES
from localcloud.engine.stack import LocalStack
from localcloud.engine.stack_file import ROOT
from sml import sentences

PREDICTIONS = 2
MINIMUM_ACCURACY = 0.9
"""Of the answers of the job, where no model is named. What another one is good for, its gate says."""
MINIMUM_REQUESTS = 300
"""The number of requests that the callers send at least during a canary."""


def main(progress: Progress, stack: str, state: Path = ROOT / ".local", model: str = "") -> int:
    """Run the demonstration and write its figures to `<state>/summary.json`. Return 0; a step that fails raises.

    With `model` the stack is deployed with that one alone, whatever its file names.
    """
    require_embedded(stack)
    started = time.monotonic()
    example = demo_example.named(model) if model else demo_example.breast_cancer()
    override = {KEY: {"models": [model]}} if model else {}
    with LocalStack(stack, state=state, override=override) as local:
        shown = model or f"{example.model}, {demo_files.MODEL}"
        progress.plain(f"serverless-ml  local {local.cloud.title}  models: {shown}")
        demo = Demo(local, progress, example, others=() if model else (demo_files.MODEL,))
        demo.run()
        demo.summary["seconds"] = round(time.monotonic() - started, 1)
        (state / "summary.json").write_text(json.dumps(demo.summary, indent=1) + "\n", encoding="utf-8")
    kept = f"`{command_to_keep(local)}` keeps it running"
    after = f"{kept}, with {model} among the models of {local.file.path.name}" if model else kept
    progress.plain(f"done in {demo.summary['seconds']:.0f} s. {after}; docs/bring-your-model.md is next.")
    return 0


def command_to_keep(stack: LocalStack) -> str:
    """Return the command that keeps the same stack running."""
    return "make up" if stack.file.name == "local" else f"make up CLOUD={stack.file.cloud}"


class Demo(DemoRun):
    """Trains and releases two versions, predicts, classifies files and runs a job."""

    def __init__(self, stack: LocalStack, progress: Progress, example: Example, others: Sequence[str]) -> None:
        """`others` are the models besides that of the example, which the stack must have: those that are shown."""
        super().__init__(stack, progress)
        self.model, self.cases = example.model, example.cases
        self.summary["model"] = self.model
        self._example, self._others = example, others

    def run(self) -> None:
        """Run every step. Raises `DemoFailed` at the first that does not do what it is for."""
        self.two_versions()
        self.predict()
        if demo_files.MODEL in self._others:
            demo_files.classify(self)
        minimum = MINIMUM_ACCURACY if self._others else None
        demo_job.run(self, self.model, self.cases, self._example.truths, minimum)
        self.not_emulated()

    def two_versions(self) -> None:
        """Deploy, and train twice: the first version goes live at once, the second by canary."""
        with self.timed("deploy"):
            deploy(self.stack, self.progress)
        self.summary |= {"endpoint": self.stack.outputs["endpoint"], "resources": self.stack.counts()}
        if not {self.model, *self._others} <= set(self.stack.outputs["models"]):
            shown = " and ".join((self.model, *self._others))
            raise DemoFailed(
                f"the demo shows {shown}: have both among the models of {self.stack.file.path.name}, "
                "or name one of yours: make demo MODEL=..."
            )
        self.watch = self.watching(self.model)
        first = self.train(f"{self._example.table}-first.csv", self._example.first_rows)
        self.promoted(first)
        second = self.train(f"{self._example.table}.csv", len(self.cases) - HELD_OUT)
        self.canary(second)
        self.promoted(second)

    def train(self, name: str, rows: int) -> str:
        """Upload a dataset, follow it to a registered version, and return the id of its run."""
        with self.step("upload") as step:
            self.upload(name, rows)
            step.text = sentences.uploaded(name, self.model, f"{rows} rows")
        with self.step("prepare") as step:
            run = self.watch.new_run(PATIENCE_SECONDS)
            record = self.watch.reached(run, "training", "registered", "canary", seconds=PATIENCE_SECONDS)
            self.expect(record, "training", "registered", "canary", "promoted")
            step.text = sentences.prepared(record, self._example.features)
        with self.step("experiments") as step:
            for done, planned in self.watch.experiments(run, PATIENCE_SECONDS):
                step.say(f"{done} of {planned}")
            step.text = sentences.experiments(planned, planned, self.best(run))
        with self.step("gate") as step:
            record = self.watch.reached(run, "registered", "canary", seconds=PATIENCE_SECONDS)
            self.expect(record, "registered", "canary", "promoted")
            step.text = sentences.gate(record["checks"])
        return run

    def upload(self, name: str, rows: int) -> None:
        """Upload the first rows of the sample as a dataset."""
        with tempfile.TemporaryDirectory() as folder:
            self._example.write(Path(folder) / name, rows)
            self.stack.store(self.stack.outputs["data_url"]).put(
                f"{self.model}/{layout.INCOMING}{name}", Path(folder) / name
            )

    def best(self, run: str) -> str:
        """Record the experiments in the summary, and describe the best one."""
        metric = self._example.metric
        leaderboard = self.watch.leaderboard(run, metric)
        if not leaderboard:
            self.expect(self.watch.reached(run, seconds=PATIENCE_SECONDS), "registered")
        self.summary["experiments"] = [
            {"params": record["params"], metric: record["metrics"][metric], "seconds": record["seconds"]}
            for record in leaderboard
        ]
        return sentences.best(leaderboard[0], metric)

    def canary(self, run: str) -> None:
        """Send requests while the challenger's share of the traffic grows, and raise `DemoFailed` if any fails."""
        weights: list[int] = []
        with self.step("canary") as step:
            with Callers(self.stack.outputs["models"][self.model]["predict"], self.cases[-HELD_OUT:]) as callers:

                def settled() -> dict[str, Any] | None:
                    live, record = self.watch.live(), self.watch.record(run)
                    if live["weight"] and live["weight"] not in weights:
                        weights.append(live["weight"])
                    step.say(f"{sentences.weights(weights)}, {callers.requests} requests")
                    return record if record["status"] in FINAL_STATES and callers.requests >= MINIMUM_REQUESTS else None

                record = self.watch.wait_for(settled, PATIENCE_SECONDS, "the release to end")
            self.expect(record, "promoted")
            if callers.failures or not callers.variants["challenger"]:
                raise DemoFailed(f"the callers saw {dict(callers.variants)} and failures {dict(callers.failures)}")
            shares = sentences.weights([*weights, 100])
            step.text = f"{shares}, {callers.requests} requests, {callers.failures.total()} errors"
        self.summary["canary"] = {"weights": weights, "answers": dict(callers.variants), "errors": 0}

    def promoted(self, run: str) -> None:
        """Wait until the API answers by the new version, which is later than the pointer's change."""
        with self.step("promoted") as step:
            self.expect(self.watch.reached(run, seconds=PATIENCE_SECONDS), "promoted")
            live = self.watch.live()
            self.summary["champion"] = live["champion"]

            def served() -> bool | None:
                _, headers, _ = self.asked(0)
                return headers.get("x-model-version") == live["champion"] or None

            self.watch.wait_for(served, PATIENCE_SECONDS, f"{live['champion']} to answer")
            step.text = sentences.promoted(self.model, live["champion"], live["previous"])

    def predict(self) -> None:
        """Predict cases that were never uploaded, and print them with the truth."""
        self.summary["predictions"] = []
        self.progress.line("predict", f"POST {self.stack.outputs['models'][self.model]['predict']}")
        for position in self._shown():
            began, truth = time.monotonic(), self._example.truths[position]
            with self.errors_of("predict"):
                status, headers, body = self.asked(position)
            milliseconds = (time.monotonic() - began) * 1000
            if status != 200 or headers.get("x-model-version") != self.summary["champion"]:
                raise self.failed(f"the answer was {status} by {headers.get('x-model-version')}: {body}")
            prediction, text = _told(body["predictions"][0])
            self.summary["predictions"].append({**prediction, "truth": truth, "ms": round(milliseconds, 1)})
            self.progress.line("", f"{text} (truth: {truth})  {milliseconds:.0f} ms")

    def _shown(self) -> Sequence[int]:
        """Return the places of the last rows, whose true answers are different."""
        last: dict[str | float, int] = {}
        for position in range(len(self.cases) - 1, len(self.cases) - HELD_OUT - 1, -1):
            last.setdefault(self._example.truths[position], position)
        return list(last.values())[:PREDICTIONS]

    def asked(self, position: int) -> tuple[int, Mapping[str, str], dict[str, Any]]:
        """Predict one case; return the status, the headers and the body."""
        url = urlsplit(self.stack.outputs["models"][self.model]["predict"])
        connection = http.client.HTTPConnection(url.netloc, timeout=30)
        try:
            return ask(connection, url.path, json.dumps({"instances": [self.cases[position]]}), "demo")
        finally:
            connection.close()

    def not_emulated(self) -> None:
        """Print what the program declares and this machine does not do."""
        self.summary["not_emulated"] = self.stack.not_emulated
        names = ", ".join(sorted({key.split(":")[-1] for key in self.stack.not_emulated}))
        self.progress.paragraph("not emulated", f"{names} (docs/local.md)")


def _told(answer: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """Return an answer as the summary has it and as a text: a number, or a label with its probability."""
    if "label" not in answer:
        ends = {name: answer[name] for name in ("low", "high") if name in answer}
        between = f" ({ends['low']:.4g} to {ends['high']:.4g})" if ends else ""
        return {"value": answer["value"], **ends}, f"{answer['value']:.4g}{between}"
    probability = max(answer["probabilities"].values())
    return {"label": answer["label"], "probability": round(probability, 4)}, f"{answer['label']} {probability:.3f}"
