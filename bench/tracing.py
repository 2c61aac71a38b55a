"""What it adds that a request belongs to a trace: the same function with spans and without, in turn."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

from bench import files, subject
from bench.measure import cpu
from bench.metering import shuffled
from bench.row import Row

GROUP = "tracing"
BEGUN, JOINED = "with a trace begun", "with the caller's trace"
WITHOUT, ALSO, AGAIN = "without traces", "without traces, asked alike", "without traces, again"
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
Members = tuple[tuple[object, str, object], ...]
"""What a variant puts into the program: a module or a class, a name, and what stands there."""


class _NoSpan:
    """A span that says nothing."""

    traceparent = ""
    cloud_id = ""

    def facts(self) -> dict[str, Any]:
        return {}


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    del quick
    os.environ.update(files.environment(subject.registered(workspace / "models"), workspace))
    say("warm")
    body = json.dumps({"instances": subject.rows(1)})
    plain, carrying = subject.event(body), subject.event(body, headers={"traceparent": TRACEPARENT})
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):  # noqa: PTH123 - as the console
        answer, real, none = _answering()
        calls = {
            BEGUN: partial(_call, answer, plain, real),
            JOINED: partial(_call, answer, carrying, real),
            WITHOUT: partial(_call, answer, plain, none),
            ALSO: partial(_call, answer, carrying, none),
            AGAIN: partial(_call, answer, plain, none),
        }
        for call in calls.values():
            if (response := call())["statusCode"] != 200:
                raise RuntimeError(f"{response['statusCode']} {response['body'][:300]}")
        found = shuffled(calls, rounds)
    for name, without in ((BEGUN, WITHOUT), (JOINED, ALSO)):
        yield Row(
            group=GROUP,
            name=f"a warm request {name}, processor time",
            against=WITHOUT,
            figure=found.differences(name, without, cpu).times(1e6),
            unit="us",
            target=5,
            value=found.values(name, cpu).times(1000),
            noise=found.differences(AGAIN, WITHOUT, cpu).median * 1e6,
        )


def _call(
    answer: Callable[[dict[str, Any]], Mapping[str, Any]], event: Mapping[str, Any], members: Members
) -> Mapping[str, Any]:
    for owner, name, member in members:
        setattr(owner, name, member)
    return answer(dict(event))


def _answering() -> tuple[Callable[[dict[str, Any]], Mapping[str, Any]], Members, Members]:
    """Return a predict function's handler, and what makes it trace and not trace."""
    # They read the environment variables.
    from functions.adapters.aws import http  # noqa: PLC0415
    from functions.core.runtime import spans  # noqa: PLC0415
    from functions.entries.predict import predict  # noqa: PLC0415

    owners: tuple[tuple[Any, str], ...] = (
        (spans.Span, "asked"),
        (spans, "current"),
        (spans, "enter"),
        (http, "called"),
    )
    real = tuple((owner, name, vars(owner)[name]) for owner, name in owners)
    quiet = (classmethod(lambda *_, **__: _NoSpan()), lambda: None, lambda _: None, lambda: ("", ""))
    none = tuple((owner, name, member) for (owner, name), member in zip(owners, quiet, strict=True))
    handle = http.handler(predict)
    return lambda event: handle(event, None), real, none
