"""What it adds that functions measure themselves: the same function with a meter and without, in turn."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import files, subject
from bench.cold import handler as process
from bench.measure import Rounds, Sample, cpu, in_turn
from bench.row import Missing, Row
from interface import variables
from interface.meter import Meter

if TYPE_CHECKING:
    from functions.core.api.service import Service
    from functions.core.runtime.environment import Environment

GROUP = "metering"
WITH, WITHOUT, AGAIN = "with a meter", "without a meter", "without a meter, again"
CALLS = 20
"""In a block, which takes some milliseconds."""
BLOCKS = 150
"""Of each variant in a round, in an order that is drawn anew for each three."""
FASTEST = 0.05
"""Of a round the block is told that this share of its kind is faster than: in the others, the processor did more."""
METER = Meter(
    usd=0.0000166667,
    usd_per_call=0.0000002,
    gb=1.0,
    kwh=4.8e-7,
    grams_operational=0.00018,
    grams_embodied=0.000064,
    billed_ms=1,
    region="eu-west-1",
    tariff="2026-11-29",
).to_json()


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row | Missing]:
    del quick
    stated = files.environment(subject.registered(workspace / "models"), workspace)
    say("warm")
    yield _warm(stated, rounds)
    say("cold")
    yield _cold(stated, rounds)


def _warm(stated: Mapping[str, str], rounds: int) -> Row:
    os.environ.update(stated)
    event = subject.event(json.dumps({"instances": subject.rows(1)}))
    # Every request has its line in the log, written out as far as the operating system.
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123
        answers = {WITH: _answering(METER), WITHOUT: _answering(None), AGAIN: _answering(None)}
        for answer in answers.values():
            if (response := answer(event))["statusCode"] != 200:
                raise RuntimeError(f"{response['statusCode']} {response['body'][:300]}")
        calls = {name: partial(answer, event) for name, answer in answers.items()}
        found = shuffled(calls, rounds)
    return Row(
        group=GROUP,
        name="a warm request, processor time",
        against=WITHOUT,
        figure=found.differences(WITH, WITHOUT, cpu).times(1e6),
        unit="us",
        target=5,
        value=found.values(WITH, cpu).times(1000),
        noise=found.differences(AGAIN, WITHOUT, cpu).median * 1e6,
    )


def shuffled(calls: Mapping[str, Callable[[], object]], rounds: int) -> Rounds:
    """Measure calls of each variant in turn, in rounds of short blocks whose order is drawn."""
    return Rounds(samples=_by_variant([_round(calls, seed) for seed in range(rounds)]))


def _round(calls: Mapping[str, Callable[[], object]], seed: int) -> Mapping[str, Sample]:
    """Run blocks of each variant in turn, and return a call of a fast one of each."""
    draw, blocks = random.Random(seed), {name: [] for name in calls}  # noqa: S311 - an order, and no secret
    for _ in range(BLOCKS):
        for name in draw.sample(list(calls), len(calls)):
            blocks[name].append(_block(calls[name]))
    return {name: sorted(found, key=cpu)[int(FASTEST * BLOCKS)] for name, found in blocks.items()}


def _by_variant(rounds: Sequence[Mapping[str, Sample]]) -> Mapping[str, Sequence[Sample]]:
    return {name: [one[name] for one in rounds] for name in rounds[0]}


def _block(call: Callable[[], object]) -> Sample:
    """Return the time of one call, of its process and of the wall."""
    began, worked = time.perf_counter(), time.process_time()
    for _ in range(CALLS):
        call()
    worked, passed = time.process_time() - worked, time.perf_counter() - began
    return Sample(seconds=passed / CALLS, cpu_seconds=worked / CALLS)


def _answering(meter: str | None) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Return a predict function's handler, loaded in this process, with a meter or without."""
    # They read the environment variables.
    from functions.adapters.aws.http import handler  # noqa: PLC0415
    from functions.entries.predict import predict  # noqa: PLC0415

    def composed(environment: Environment) -> Service:  # another for each: a copy composes an entry once
        return predict(environment)

    handle = handler(composed)

    def answer(event: Mapping[str, Any]) -> Mapping[str, Any]:
        return handle(dict(event), None)

    os.environ.pop(variables.METER, None)
    if meter is not None:
        os.environ[variables.METER] = meter
    answer(subject.event(json.dumps({"instances": subject.rows(1)})))
    os.environ.pop(variables.METER, None)
    return answer


def _cold(stated: Mapping[str, str], rounds: int) -> Row:
    code, event = subject.unpacked(), subject.plain_event(1)
    variants = {
        WITH: process("runtime", "main", {**stated, variables.METER: METER}, event, code),
        WITHOUT: process("runtime", "main", stated, event, code),
        AGAIN: process("runtime", "main", stated, event, code),
    }
    measured = in_turn(variants, rounds=rounds)
    return Row(
        group=GROUP,
        name="a cold start, processor time",
        against=WITHOUT,
        figure=measured.ratios(WITH, WITHOUT, cpu),
        value=measured.values(WITH, cpu).times(1000),
        control=measured.ratios(AGAIN, WITHOUT, cpu).median,
    )
