"""The demonstration: the whole life of a model on real data, start to finish.

Two datasets arrive one after the other. The first version goes live at once, the second by
canary; then two cases that neither was trained on are predicted. A bring-your-own model
classifies a few files by their content, and a file of many cases becomes a job.
"""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from interface import layout
from localcloud.commands import demo_files, demo_job
from localcloud.commands.callers import Callers, ask
from localcloud.commands.demo_run import PATIENCE_SECONDS, DemoFailed, DemoRun
from localcloud.commands.embedded import require_embedded
from localcloud.commands.progress import Progress
from localcloud.commands.up import deploy
from localcloud.commands.watch import FINAL_STATES
from localcloud.engine.stack import LocalStack
from localcloud.engine.stack_file import ROOT
from models.breast_cancer import sample
from sml import sentences

MODEL = "breast_cancer"
METRIC = "roc_auc"
FIRST_ROWS = 400
HELD_OUT = 20
"""Cases that are never uploaded: the callers send them, and the two predictions at the end."""
MINIMUM_REQUESTS = 300
"""The number of requests that the callers send at least during a canary."""


def main(progress: Progress, stack: str, state: Path = ROOT / ".local") -> int:
    """Run the demonstration and write its figures to `<state>/summary.json`. Return 0; a step that fails raises."""
    require_embedded(stack)
    started = time.monotonic()
    with LocalStack(stack, state=state) as local:
        progress.plain(f"serverless-ml  local {local.cloud.title}  models: {MODEL}, {demo_files.MODEL}")
        demo = Demo(local, progress)
        demo.run()
        demo.summary["seconds"] = round(time.monotonic() - started, 1)
        (state / "summary.json").write_text(json.dumps(demo.summary, indent=1) + "\n", encoding="utf-8")
    duration = f"done in {demo.summary['seconds']:.0f} s."
    progress.plain(f"{duration} `{command_to_keep(local)}` keeps it running; docs/bring-your-model.md is next.")
    return 0


def command_to_keep(stack: LocalStack) -> str:
    """Return the command that keeps the same stack running."""
    return "make up" if stack.file.name == "local" else f"make up CLOUD={stack.file.cloud}"


class Demo(DemoRun):
    """Trains and releases two versions, predicts, classifies files and runs a job."""

    def __init__(self, stack: LocalStack, progress: Progress) -> None:
        super().__init__(stack, progress)
        self.summary["model"] = MODEL
        self.cases, self.labels = sample.instances()

    def run(self) -> None:
        """Run every step. Raises `DemoFailed` at the first that does not do what it is for."""
        self.two_versions()
        self.predict()
        demo_files.classify(self)
        demo_job.run(self, MODEL, self.cases, self.labels)
        self.not_emulated()

    def two_versions(self) -> None:
        """Deploy, and train twice: the first version goes live at once, the second by canary."""
        with self.timed("deploy"):
            deploy(self.stack, self.progress)
        self.summary |= {"endpoint": self.stack.outputs["endpoint"], "resources": self.stack.counts()}
        if not {MODEL, demo_files.MODEL} <= set(self.stack.outputs["models"]):
            stack = f"Pulumi.{self.stack.file.name}.yaml"
            raise DemoFailed(f"the demo shows {MODEL} and {demo_files.MODEL}: have both among the models of {stack}")
        self.watch = self.watching(MODEL)
        first = self.train("wdbc-first.csv", FIRST_ROWS)
        self.promoted(first)
        second = self.train("wdbc.csv", len(self.cases) - HELD_OUT)
        self.canary(second)
        self.promoted(second)

    def train(self, name: str, rows: int) -> str:
        """Upload a dataset, follow it to a registered version, and return the id of its run."""
        with self.step("upload") as step:
            self.upload(name, rows)
            step.text = sentences.uploaded(name, MODEL, f"{rows} rows")
        with self.step("prepare") as step:
            run = self.watch.new_run(PATIENCE_SECONDS)
            record = self.watch.reached(run, "training", "registered", "canary", seconds=PATIENCE_SECONDS)
            self.expect(record, "training", "registered", "canary", "promoted")
            step.text = sentences.prepared(record, len(sample.header()) - 1)
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
            sample.write_csv(Path(folder) / name, rows)
            self.stack.store(self.stack.outputs["data_url"]).put(
                f"{MODEL}/{layout.INCOMING}{name}", Path(folder) / name
            )

    def best(self, run: str) -> str:
        """Record the experiments in the summary, and describe the best one."""
        leaderboard = self.watch.leaderboard(run, METRIC)
        if not leaderboard:
            self.expect(self.watch.reached(run, seconds=PATIENCE_SECONDS), "registered")
        self.summary["experiments"] = [
            {"params": record["params"], METRIC: record["metrics"][METRIC], "seconds": record["seconds"]}
            for record in leaderboard
        ]
        return sentences.best(leaderboard[0], METRIC)

    def canary(self, run: str) -> None:
        """Send requests while the challenger's share of the traffic grows, and raise `DemoFailed` if any fails."""
        weights: list[int] = []
        with self.step("canary") as step:
            with Callers(self.stack.outputs["models"][MODEL]["predict"], self.cases[-HELD_OUT:]) as callers:

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
                _, headers, _ = self.infer(0)
                return headers.get("x-model-version") == live["champion"] or None

            self.watch.wait_for(served, PATIENCE_SECONDS, f"{live['champion']} to answer")
            step.text = sentences.promoted(MODEL, live["champion"], live["previous"])

    def predict(self) -> None:
        """Predict two cases that were never uploaded, one of each label, and print them with the true label."""
        self.summary["predictions"] = []
        self.progress.line("predict", f"POST {self.stack.outputs['models'][MODEL]['infer']}")
        for truth in ("malignant", "benign"):
            position = max(i for i, label in enumerate(self.labels) if label == truth)
            began = time.monotonic()
            with self.errors_of("predict"):
                status, headers, body = self.infer(position)
            milliseconds = (time.monotonic() - began) * 1000
            if status != 200 or headers.get("x-model-version") != self.summary["champion"]:
                raise self.failed(f"the answer was {status} by {headers.get('x-model-version')}: {body}")
            outputs = {output["name"]: output["data"] for output in body["outputs"]}
            label = sorted(set(self.labels))[int(outputs["label"][0])]
            prediction = {"label": label, "probability": round(max(outputs["probabilities"]), 4), "truth": truth}
            self.summary["predictions"].append({**prediction, "ms": round(milliseconds, 1)})
            self.progress.line("", f"{label} {prediction['probability']:.3f} (truth: {truth})  {milliseconds:.0f} ms")

    def infer(self, position: int) -> tuple[int, Mapping[str, str], dict[str, Any]]:
        """Predict one case by the Open Inference Protocol; return the status, the headers and the body."""
        url = urlsplit(self.stack.outputs["models"][MODEL]["infer"])
        row = list(self.cases[position].values())
        tensor = {"name": "features", "shape": [1, len(row)], "datatype": "FP32", "data": row}
        connection = http.client.HTTPConnection(url.netloc, timeout=30)
        try:
            return ask(connection, url.path, json.dumps({"inputs": [tensor]}), "demo")
        finally:
            connection.close()

    def not_emulated(self) -> None:
        """Print what the program declares and this machine does not do."""
        self.summary["not_emulated"] = self.stack.not_emulated
        names = ", ".join(sorted({key.split(":")[-1] for key in self.stack.not_emulated}))
        self.progress.paragraph("not emulated", f"{names} (docs/local.md)")
