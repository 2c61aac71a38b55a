"""What the functions of a stack logged of a job and of a run: by their own code, in this process."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from functions.core.jobs.worker import Worker
from functions.core.runtime import spans
from functions.core.runtime.consumer import Consumer
from functions.core.runtime.log import Log
from functions.core.runtime.step import Step
from tests.functions.serving import BENIGN, MODEL, Bench, said

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
EXECUTION, RUN = "8c1d7f3a-90", "7d1f0c2a9b3e4f55"
Logs = dict[str, list[str]]


def of_a_job(flags: str = "01", *, attempts: int = 1) -> tuple[Logs, str]:
    """Return the lines of a job that a caller submitted, and its name; the attempts before the last one fail."""
    bench, lines = Bench(), io.StringIO()
    bench.clock.forward(time.time() - bench.clock())
    bench.champion()
    bench.predict()
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-{flags}", "tracestate": "vendor=1"}
    path = f"/v2/models/{MODEL}/jobs"
    job = said(bench.send("POST", path, {"instances": [BENIGN]}, headers=headers))["id"]
    log = Log(stream=lines)
    worker = Worker(bench.jobs, {MODEL: bench.model_cache}, log, attempts=5)
    key = f"{MODEL}/in/{job}"

    def fails(key: str, delivery: Any) -> str | None:
        if broken:
            raise TimeoutError("a text that is nobody's business")
        return worker.work(key, delivery)

    consumer = Consumer(work=fails, log=log, note=lambda *_: {})
    spans.started(0.391)
    for left in reversed(range(attempts)):
        # An attempt that cannot read the ticket belongs to a trace of its own.
        broken = left > 0
        consumer.take("m-1", key, str)
    return {"predict": bench.lines.getvalue().splitlines(), "jobs": lines.getvalue().splitlines()}, job


def of_a_run(trace: Mapping[str, str] | str = "") -> Logs:
    """Return the lines of a run of four steps, one of which fails."""
    logs: dict[str, io.StringIO] = {name: io.StringIO() for name in ("prepare", "train", "select", "rollout")}
    about = {"model": MODEL, "run": RUN, "execution": EXECUTION, "trace": trace}

    def call(function: str, answer: Mapping[str, Any] | Exception, **payload: Any) -> None:
        def act(_: object) -> Mapping[str, Any]:
            if isinstance(answer, Exception):
                raise answer
            return answer

        with suppress(ValueError):
            Step(name=function, act=act, log=Log(stream=logs[function])).run({**about, **payload}, "call-1")

    spans.started(1.204)
    call("prepare", {"status": "accepted", "model": MODEL, "run": RUN}, model=None, run=None)
    call("train", {"status": "succeeded"}, experiment="c4ca4238")
    call("train", ValueError("a text that is nobody's business"), experiment="c81e728d")
    call("select", {"status": "registered", "version": "3f2a9c04d1b7e865"})
    call("rollout", {"status": "promoted", "version": "3f2a9c04d1b7e865"}, action="release")
    return {name: lines.getvalue().splitlines() for name, lines in logs.items()}
