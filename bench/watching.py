"""What watching adds: a capture to a warm request, and what the nightly call of `watch` takes for a million of them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import files, subject
from bench.measure import Rounds, Sample, Spread, cpu
from bench.row import Missing, Row
from interface import variables

if TYPE_CHECKING:
    from functions.core.api.service import Service
    from functions.core.runtime.environment import Environment

GROUP = "watching"
NONE, AGAIN = "no capture", "no capture, again"
CAPTURING: Mapping[str, Mapping[str, str]] = {
    "a capture of counts and durations": {variables.CAPTURE_INPUTS: "0"},
    "a capture with its row of 30 features": {variables.CAPTURE_INPUTS: "1"},
    "a capture with its row, one column as a digest": {
        variables.CAPTURE_INPUTS: "1",
        variables.CAPTURE_REDACT: '{"mean_radius": "hash"}',
        variables.CAPTURE_KEY: "a key of the benchmarks alone",
    },
}
CALLS = 200
"""In a block: after so many captures they are written, so each block writes once."""
BLOCKS = 30
"""Of each variant in a round, in an order that is drawn anew for each."""
FASTEST = 0.05
"""Of a round the block is told that this share of its kind is faster than: in the others, the processor did more."""
CAPTURES = 1_000_000
SHARE = 10
"""The millionth part that is measured: parts of a day are compacted and counted one after the other."""
PROCESSORS = 1024 / 1769
"""Of a function of 1 GB on AWS: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row | Missing]:
    say("captures")
    yield from _captures(files.environment(subject.registered(workspace / "models"), workspace), rounds)
    say("the nightly call")
    yield from _nightly(workspace, 1 if quick else 3)


def _captures(stated: Mapping[str, str], rounds: int) -> Iterator[Row]:
    event = subject.event(json.dumps({"instances": subject.rows(1)}))
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123
        answers = {name: _answering({**stated, **more}) for name, more in CAPTURING.items()}
        answers |= {name: _answering(stated, captures=False) for name in (NONE, AGAIN)}
        for answer in answers.values():
            if (response := answer(event))["statusCode"] != 200:
                raise RuntimeError(f"{response['statusCode']} {response['body'][:300]}")
        calls = {name: partial(answer, event) for name, answer in answers.items()}
        measured = [_round(calls, seed) for seed in range(rounds)]
    found = Rounds(samples={name: [one[name] for one in measured] for name in calls})
    for name in CAPTURING:
        yield Row(
            group=GROUP,
            name=name,
            against=NONE,
            figure=found.differences(name, NONE, cpu).times(1e6),
            unit="us",
            target=15,
            value=found.values(name, cpu).times(1000),
            noise=found.differences(AGAIN, NONE, cpu).median * 1e6,
        )


def _round(calls: Mapping[str, Callable[[], object]], seed: int) -> Mapping[str, Sample]:
    draw, blocks = random.Random(seed), {name: [] for name in calls}  # noqa: S311 - an order, and no secret
    for _ in range(BLOCKS):
        for name in draw.sample(list(calls), len(calls)):
            began = time.process_time()
            for _ in range(CALLS):
                calls[name]()
            worked = (time.process_time() - began) / CALLS
            blocks[name].append(Sample(seconds=worked, cpu_seconds=worked))
    return {name: sorted(found, key=cpu)[int(FASTEST * BLOCKS)] for name, found in blocks.items()}


def _answering(stated: Mapping[str, str], *, captures: bool = True) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Return a predict function's handler, loaded in this process, with captures or without."""
    from functions.adapters.aws.http import handler  # noqa: PLC0415 - they read the environment variables
    from functions.core.serving.predictor import Predictor  # noqa: PLC0415
    from functions.entries.predict import predict  # noqa: PLC0415

    class Silent(Predictor):
        def _capture(self, *about: Any, **facts: Any) -> None:
            """Keep nothing."""

    def composed(environment: Environment) -> Service:  # another for each: a copy composes an entry once
        service = predict(environment)
        if not captures:
            predictor = service._predictors[files.MODEL]
            predictor.__class__ = Silent
        return service

    handle = handler(composed)
    for name in (variables.CAPTURE_REDACT, variables.CAPTURE_KEY):
        os.environ.pop(name, None)
    os.environ.update(stated)
    handle(subject.event(json.dumps({"instances": subject.rows(1)})), None)
    return lambda event: handle(dict(event), None)


def _nightly(workspace: Path, rounds: int) -> Iterator[Row]:
    """Tell what a process of its own takes that holds nothing else: its seconds, and its memory."""
    command = [sys.executable, "-m", "bench.nightly", str(workspace), str(CAPTURES // SHARE)]
    found: list[dict[str, float]] = []
    for _ in range(rounds):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
    seconds = [one["cpu_seconds"] * SHARE / PROCESSORS for one in found]
    yield Row(
        group=GROUP,
        name="a million captures compacted and checked, on the processor of a function of 1 GB",
        against="",
        figure=Spread.of(seconds),
        unit="s",
        target=60,
    )
    yield Row(
        group=GROUP,
        name="its memory, at most",
        against="",
        figure=Spread.of([one["peak_mib"] for one in found]),
        unit="MiB",
        target=1024,
    )
