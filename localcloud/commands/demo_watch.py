"""The demonstration of the weeks after a promotion: what comes changes, and the model notices, learns and is refused.

The days are told and not waited for: what was captured and told meanwhile is dated back, and the function that watches
is called as of the night after each day. Everything else is as it always is.
"""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.settings import KEY
from interface import layout
from localcloud.commands import demo_example
from localcloud.commands.alarms import AlarmTeller
from localcloud.commands.callers import ask
from localcloud.commands.demo import Demo
from localcloud.commands.demo_run import PATIENCE_SECONDS
from localcloud.commands.embedded import require_embedded
from localcloud.commands.progress import Progress
from localcloud.commands.up import deploy
from localcloud.engine.stack import LocalStack
from localcloud.engine.stack_file import ROOT
from models.catalogue import load

MODEL = "breast_cancer"
BEGAN = 40
"""Days before today on which the story begins."""
ROWS_A_REQUEST = 4
ALARMS = {"drift": "drift", "trained again in vain": "trained-in-vain"}
"""The alarm that a line of the log makes fire, by the line's event."""
SEED = 7
"""Of the useless truths."""
NEW_SCANNER, WORN_SCANNER = ("mean_symmetry", "worst_symmetry"), ("mean_fractal_dimension", "worst_fractal_dimension")
"""Columns that two scanners measure otherwise: little of what the model knows is in them."""
OTHERWISE = 1.5
"""How many times as much they measure."""
OVERRIDE = {KEY: {"models": [MODEL], "capture": {"inputs": 1}, "retraining": {"minimum_rows": 200}}}


def main(progress: Progress, stack: str, state: Path = ROOT / ".local") -> int:
    """Tell the story, and write its figures to `<state>/watch-summary.json`. Return 0; a step that fails raises."""
    require_embedded(stack)
    started = time.monotonic()
    with LocalStack(stack, state=state, override=OVERRIDE) as local:
        progress.plain(f"serverless-ml  local {local.cloud.title}  model: {MODEL}, in the weeks after its promotion")
        demo = WatchDemo(local, progress, demo_example.breast_cancer(), others=())
        demo.run()
        demo.summary["seconds"] = round(time.monotonic() - started, 1)
        (state / "watch-summary.json").write_text(json.dumps(demo.summary, indent=1) + "\n", encoding="utf-8")
    progress.plain(f"done in {demo.summary['seconds']:.0f} s. docs/watching.md has what each of the words means.")
    return 0


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A request that was answered: its id, and which rows it had."""

    request: str
    rows: Sequence[int]


class WatchDemo(Demo):
    """Two shifts: one that can be learnt from, and one of which the truths are useless."""

    def run(self) -> None:
        """Tell everything. Raises `DemoFailed` at the first step that does not do what it is for."""
        self._moved = set[str]()
        """What is dated back already."""
        self._alarms = AlarmTeller(self.stack, lambda _: None)
        with self.timed("deploy"):
            deploy(self.stack, self.progress)
        self.watch = self.watching(self.model)
        self.promoted(self.train("wdbc-first.csv", self._example.first_rows))
        first, horizon = self.summary["champion"], load(MODEL).labels.horizon_days
        self.progress.plain("days like those of the training")
        self.day(1)
        self.night(1, state="steady")
        self.learnt_from(2, horizon)
        second = self.summary["champion"]
        self.refused(6 + horizon, horizon)
        champion = self.watch.live()["champion"]
        if champion != second:
            raise self.failed(f"{champion} is live, and not {second}, which stays where a retraining is refused")
        self.progress.line("live", f"{second[:6]} stays; it learnt from the first shift, {first[:6]} from neither")
        self.summary |= {"first": first, "second": second}

    def learnt_from(self, number: int, horizon: int) -> None:
        """From a day on the rows are others, and what was true of them is told: the model is trained again."""
        self.progress.plain("a new scanner: it measures symmetry half as much again")
        answered = self.shifted(number, NEW_SCANNER)
        with self.step("truths") as step:
            step.text = self.told(answered, self._example.truths, number + 1)
        run = self.retrained(number + 2 + horizon)
        self.canary(run)
        self.promoted(run)

    def refused(self, number: int, horizon: int) -> None:
        """From a day on the rows are others again, and what is told of them is useless: the champion stays."""
        self.progress.plain("a worn scanner: fractal dimensions are wrong, and so is what is told of them")
        answered = self.shifted(number, WORN_SCANNER)
        classes = sorted(set(map(str, self._example.truths)))
        with self.step("truths") as step:
            drawn = random.Random(SEED).choices(classes, k=len(self.cases))  # noqa: S311 - a lot, and no secret
            step.text = f"{self.told(answered, drawn, number + 1)}, each drawn by lot"
        run = self.retrained(number + 2 + horizon)
        with self.step("gate") as step:
            record = self.watch.reached(run, seconds=PATIENCE_SECONDS)
            self.expect(record, "refused")
            step.text = f"refused: {record['cause']}"
        self.day(number + 3 + horizon)
        self.night(number + 3 + horizon, event="trained again in vain", again="nothing to learn from")

    def shifted(self, number: int, columns: Sequence[str]) -> list[Answered]:
        """Have two days whose rows are measured otherwise, and return their requests."""
        self.measured(columns)
        answered = self.day(number)
        self.night(number, state="drifted")
        answered += self.day(number + 1)
        self.night(number + 1, state="drifted", drift=True, again="nothing to learn from")
        return answered

    def measured(self, columns: Sequence[str]) -> None:
        """Have the cases from now on measured by a scanner that measures some columns otherwise."""
        self.cases = [
            {name: value * OTHERWISE if name in columns else value for name, value in case.items()}
            for case in self.cases
        ]

    def day(self, number: int) -> list[Answered]:
        """Ask about all cases on a day of the story, and return which request had which."""
        with self.step(f"day {number}") as step:
            answered = self._asked_about_all()
            self._dated(number)
            step.text = f"{len(self.cases)} rows in {len(answered)} requests"
        return answered

    def night(self, number: int, *, state: str = "", drift: bool = False, event: str = "", again: str = "") -> None:
        """Call the function that watches in the night after a day, and check what it found and whom it told."""
        with self.step(f"night {number}") as step:
            before = len(self._logged())
            found = self.stack.invoke("watch", {"as_of": f"{self._date(number + 1)}"})["checked"][MODEL]
            lines = self.watch.wait_for(lambda: self._logged()[before:] or None, PATIENCE_SECONDS, "the log of a night")
            events = {str(line["event"]): line for line in lines}
            wanted = {event} - {""} | ({"drift"} if drift else set())
            if state not in ("", found) or not wanted <= set(events):
                raise self.failed(f"night {number}: the check is {found}, the log has {', '.join(events)}")
            said = str(events.get("not trained again", {}).get("said", ""))
            if again and again not in said:
                raise self.failed(f"night {number}: {again!r} is not in {said!r}")
            step.text = f"{found}{'; a person is told' if wanted or said else ''}"
        if drift:
            self.progress.paragraph("", f"drift: {events['drift']['said']}")
        if event == "trained again in vain":
            self.progress.paragraph("", f"{event}: {events[event]['status']}")
        if said:
            self.progress.paragraph("", f"not trained again: {said.rpartition('; ')[2]}")
        if told := {ALARMS[name] for name in wanted & set(ALARMS)}:
            self.progress.line("", f"alarms that are firing: {', '.join(self._firing(told))}")
        self.summary.setdefault("nights", []).append({"night": number, "state": found, "events": sorted(events)})

    def _firing(self, wanted: Set[str]) -> list[str]:
        """Wait until these alarms are firing, and return all that are."""

        def look() -> list[str] | None:
            names = sorted(one["name"] for one in self._alarms.look() if one["firing"])
            return names if wanted <= set(names) else None

        return self.watch.wait_for(look, PATIENCE_SECONDS, f"the alarms {', '.join(sorted(wanted))}")

    def told(self, answered: Sequence[Answered], truths: Sequence[object], number: int) -> str:
        """Tell the truth of every row that was answered, on a day of the story."""
        items = [
            {"request": one.request, "row": at, "truth": truths[row]}
            for one in answered
            for at, row in enumerate(one.rows)
        ]
        url = urlsplit(self.stack.outputs["endpoint"])
        connection = http.client.HTTPConnection(url.netloc, timeout=30)
        try:
            body = json.dumps({"truths": items})
            status, _, answer = ask(connection, f"{url.path}/v2/models/{MODEL}/feedback", body, "demo")
        finally:
            connection.close()
        if status != 200 or answer["refused"]:
            raise self.failed(f"feedback: {status}: {answer}")
        self._dated(number, layout.TRUTHS)
        return f"{answer['taken']} told"

    def retrained(self, number: int) -> str:
        """Have a day, after which the function that watches asks for a training; follow its experiments.

        Return its run.
        """
        self.day(number)
        self.night(number, drift=True, event="trained again")
        with self.step("retraining") as step:
            run = self.watch.new_run(PATIENCE_SECONDS)
            self.watch.reached(run, "training", "registered", "canary", seconds=PATIENCE_SECONDS)
            for _ in self.watch.experiments(run, PATIENCE_SECONDS):
                pass
            record = self.watch.record(run)
            request, further = record["retraining"], record["further"]
            step.text = (
                f"because of {request['cause']}: {record['rows']} rows, {further['rows']} of them labelled since"
            )
        self.summary.setdefault("retrainings", []).append({**request, "run": run, "rows": record["rows"]})
        return run

    def _asked_about_all(self) -> list[Answered]:
        """Ask about all cases, and wait until what was captured is written."""
        url = urlsplit(self.stack.outputs["models"][MODEL]["predict"])
        connection, answered = http.client.HTTPConnection(url.netloc, timeout=30), []
        wanted = self._rows_captured() + len(self.cases)
        try:
            for first in range(0, len(self.cases), ROWS_A_REQUEST):
                rows = range(first, min(first + ROWS_A_REQUEST, len(self.cases)))
                body = json.dumps({"instances": [self.cases[row] for row in rows]})
                status, headers, answer = ask(connection, url.path, body, f"clinic-{first % 31}")
                if status != 200:
                    raise self.failed(f"the answer was {status}: {answer}")
                answered.append(Answered(request=headers["x-request-id"], rows=rows))

            def captured() -> bool | None:
                # A copy writes what it holds with the next answer.
                ask(connection, url.path, json.dumps({"instances": self.cases[:1]}), "demo")
                return self._rows_captured() >= wanted or None

            self.watch.wait_for(captured, PATIENCE_SECONDS, "the rows to be captured")
        finally:
            connection.close()
        return answered

    def _rows_captured(self) -> int:
        """Return how many rows were captured today."""
        store = self.stack.store(self.stack.outputs["captures_url"])
        lines = (line for key in store.keys(f"{MODEL}/{_today()}") for line in store.get(key).splitlines())
        return sum(json.loads(line).get("rows", 0) for line in lines if b'"inputs":' in line)

    def _dated(self, number: int, folder: str = "") -> None:
        """Date what was captured or told since the last call to a day of the story."""
        store = self.stack.store(self.stack.outputs["captures_url"])
        today, then = f"{_today()}", f"{self._date(number)}"
        for key in store.keys(f"{MODEL}/{folder}{today}"):
            if key not in self._moved:
                store.put(key.replace(today, then, 1), store.get(key))
                self._moved.add(key)

    def _date(self, number: int) -> date:
        return _today() - timedelta(days=BEGAN - number)

    def _logged(self) -> list[Mapping[str, Any]]:
        lines = self.stack.logs("watch", 10_000)
        return [json.loads(line) for line in lines if line.startswith("{")]


def _today() -> date:
    return datetime.now(UTC).date()
