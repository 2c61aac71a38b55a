"""Traces: which one work belongs to, and what its lines say of it."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.runtime import spans
from functions.core.runtime.background import Background
from functions.core.runtime.consumer import Consumer
from functions.core.runtime.log import Log
from functions.core.runtime.spans import Span, of_call, of_execution
from functions.core.runtime.step import Step

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture(autouse=True)
def _at_no_work() -> Iterator[None]:
    spans.enter(None)
    yield
    spans.enter(None)


def test_work_belongs_to_the_trace_of_its_caller_and_has_an_id_of_its_own() -> None:
    span = Span.received(TRACEPARENT, "vendor=1, other=2")
    assert (span.trace_id, span.parent_id, span.is_sampled, span.state) == (TRACE, PARENT, True, "vendor=1,other=2")
    assert span.span_id not in (PARENT, Span.received(TRACEPARENT).span_id)
    assert span.traceparent == f"00-{TRACE}-{span.span_id}-01"
    assert span.carrier() == {"traceparent": span.traceparent, "tracestate": "vendor=1,other=2"}


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        "1",
        TRACEPARENT.upper(),
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"01-{TRACE}-{PARENT}-01more",
        f"00-{TRACE}-{PARENT}-0x",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f"00_{TRACE}-{PARENT}-01",
        f" {TRACEPARENT}",
        f"{TRACEPARENT},{TRACEPARENT}",
        f"00-{TRACE[:-1]}é-{PARENT}-01",
    ],
)
def test_what_is_no_traceparent_begins_a_trace_and_its_tracestate_goes_with_it(traceparent: str | None) -> None:
    span = Span.received(traceparent, "vendor=1")
    assert span.trace_id != TRACE
    assert (len(span.trace_id), span.parent_id, span.is_sampled, span.state) == (32, "", True, "")
    assert Span.received(span.traceparent).trace_id == span.trace_id
    assert Span.received(traceparent, otherwise=TRACE).trace_id == TRACE


@given(st.text(max_size=60) | st.text("0123456789abcdef-", min_size=53, max_size=58))
def test_no_text_is_taken_for_a_traceparent_that_is_none(text: str) -> None:
    span = Span.received(text)
    assert span.parent_id in ("", text[36:52])
    assert not set(span.traceparent) - set("0123456789abcdef-")


def test_of_a_later_version_what_is_known_counts() -> None:
    span = Span.received(f"cc-{TRACE}-{PARENT}-09-what-the-future-will-be-like")
    assert (span.trace_id, span.traceparent[-2:]) == (TRACE, "01")


def test_what_is_not_sampled_is_not_for_what_it_causes_either() -> None:
    span = Span.received(f"00-{TRACE}-{PARENT}-00")
    assert (span.is_sampled, span.traceparent[-2:], span.facts()["trace_flags"]) == (False, "00", "00")
    assert Span.received(f"00-{TRACE}-{PARENT}-03").traceparent[-2:] == "03"


@pytest.mark.parametrize(
    ("given_state", "kept"),
    [
        (",".join(f"k{number}=v" for number in range(40)), ",".join(f"k{number}=v" for number in range(32))),
        ("a=1," + "b=" + "x" * 600, "a=1"),
        ("x=" + "y" * 511, ""),
        ("a=1\n,b=2", ""),
        ("ä=1", ""),
    ],
    ids=["members", "length", "one", "line", "letters"],
)
def test_a_tracestate_is_passed_on_within_bounds(given_state: str, kept: str) -> None:
    assert Span.received(TRACEPARENT, given_state).state == kept


def test_a_step_belongs_to_what_its_payload_carries_or_else_to_its_execution() -> None:
    carried = of_call({"trace": {"traceparent": TRACEPARENT, "tracestate": "a=1"}, "execution": "e-1"})
    assert (carried.trace_id, carried.parent_id, carried.state) == (TRACE, PARENT, "a=1")
    steps = [of_call({"trace": trace, "execution": "e-1"}) for trace in ("", {"traceparent": "no"}, 7, {})]
    assert {(step.trace_id, step.parent_id) for step in steps} == {of_execution("e-1")}
    assert len({step.span_id for step in steps}) == 4
    assert of_execution("e-1") != of_execution("e-2")
    for payload in ({}, None, [], {"execution": 1}):
        assert of_call(payload, TRACEPARENT).trace_id == TRACE
        assert of_call(payload, otherwise=TRACE).trace_id == TRACE


def lines_of(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_every_line_of_a_step_has_its_ids_and_the_last_one_is_the_span() -> None:
    written = io.StringIO()
    log = Log(stream=written, traced=lambda span: {"cloud": span.trace_id[:4]})
    log.info("before")
    step = Step(name="train", act=lambda _: log.warning("within") or {"run": "r"}, log=log)
    step.run({"model": "m", "experiment": "x", "trace": {"traceparent": TRACEPARENT}}, "call-1")
    log.info("after")
    before, within, last, after = lines_of(written)
    assert {"trace_id", "cloud"}.isdisjoint(before)
    assert {"trace_id", "cloud"}.isdisjoint(after)
    assert (within["trace_id"], within["cloud"], within["span_id"]) == (TRACE, "4bf9", last["span_id"])
    assert (last["trace_id"], last["parent_span_id"], last["model"], last["experiment"], last["run"]) == (
        *(TRACE, PARENT),
        *("m", "x", "r"),
    )
    assert abs(last["start"] + last["ms"] / 1000 - last["time"]) < 1


def test_a_step_that_fails_ends_its_span_too() -> None:
    written = io.StringIO()
    with pytest.raises(KeyError):
        Step(name="train", act=lambda payload: payload["no"], log=Log(stream=written)).run({}, None)
    [line] = lines_of(written)
    assert (line["error"], "start" in line, spans.current()) == ("KeyError", True, None)


def test_a_message_belongs_to_the_trace_that_its_work_finds() -> None:
    written = io.StringIO()
    log = Log(stream=written)

    def work(content: str, _: object) -> None:
        span = spans.current()
        assert span is not None
        span.join({"traceparent": TRACEPARENT} if content == "told" else None)
        log.info("job")
        if content == "broken":
            raise ValueError

    consumer = Consumer(work=work, log=log)
    assert [consumer.take(body, body, str) for body in ("told", "untold", "broken")] == [True, True, False]
    found = lines_of(written)
    assert [line["event"] for line in found] == [*["job", "message"] * 2, "job", "message failed", "message"]
    assert [line["trace_id"] == TRACE for line in found] == [True, True, False, False, False, False, False]
    assert (found[1]["parent_span_id"], "parent_span_id" in found[3]) == (PARENT, False)
    assert [line["failed"] for line in found if line["event"] == "message"] == [False, False, True]
    assert len({line["span_id"] for line in found}) == 3


def test_a_message_belongs_to_the_trace_that_it_carries() -> None:
    written = io.StringIO()
    consumer = Consumer(work=lambda *_: None, log=Log(stream=written))
    for message in ({"trace": {"traceparent": TRACEPARENT}}, {"trace": "no"}, {}):
        assert consumer.take("m", json.dumps(message), json.loads)
    assert [line.get("parent_span_id") for line in lines_of(written)] == [PARENT, None, None]


def test_work_in_the_background_belongs_to_what_had_it_started() -> None:
    span = Span.received(TRACEPARENT)
    spans.enter(span)
    assert Background(spans.current).result() is span
    elsewhere: list[object] = []
    thread = threading.Thread(target=lambda: elsewhere.append(spans.current()))
    thread.start()
    thread.join()
    assert elsewhere == [None]


def test_the_first_work_of_a_copy_says_how_long_it_took_to_start() -> None:
    spans.started(0.2504)
    assert [Span().facts().get("coldstart_ms") for _ in range(2)] == [250.4, None]
