from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.gcp import dialect, lint
from infra.workflow import training

STEPS = ("prepare", "train", "select", "rollout")
Source = dict[str, Any]


def sound() -> Source:
    workflow = training(parallelism=4, timeout_seconds=3600, function_timeouts=dict.fromkeys(STEPS, 60))
    return dialect.render(workflow, {step: f"https://{step}.example.org" for step in STEPS})


def find(steps: lint.Steps, name: str) -> Any:
    """A step by its name, at any depth."""
    for entry in steps:
        for key, step in entry.items():
            if key == name:
                return step
            for inner, _ in lint.within(step):
                if step_inside := find(inner, name):
                    return step_inside
    return {}


def main(source: Source, name: str) -> Source:
    return find(source["main"]["steps"], name)


def call_step(source: Source, name: str = "ask") -> Source:
    return find(source["begin_prepare"]["steps"], name)


def lose(source: Source, name: str) -> None:
    steps = main(source, "attempt")["try"]["steps"]
    steps[:] = [entry for entry in steps if name not in entry]


BROKEN: list[tuple[Callable[[Source], object], list[str]]] = [
    (lambda s: s.pop("main"), ["main is missing"]),
    (
        lambda s: main(s, "prepare").update(next="gone"),
        ["prepare: next names gone, which is not a step of the same list"],
    ),
    (lambda s: main(s, "bake").update(next="experiments_one"), ["bake: next names experiments_one", "judge: no step"]),
    (lambda s: lose(s, "judge"), ["bake: next names judge, which is not a step of the same list"]),
    (lambda s: main(s, "refused").pop("return"), ["main: it can end without saying how"]),
    (lambda s: main(s, "failed").pop("raise"), ["main: it can end without saying how"]),
    (lambda s: s["begin_train"]["steps"].pop(), ["begin_train: it can end without saying how"]),
    (lambda s: s["is_failure"]["steps"].pop(), ["is_failure: it can end without saying how"]),
    (
        lambda s: main(s, "attempt")["try"]["steps"].append({"island": {"return": "x"}}),
        ["island: no step leads here"],
    ),
    (
        lambda s: main(s, "attempt")["try"]["steps"].append({"begin": {"next": "end of it"}}),
        ["begin: no step leads here", "begin: two steps have this name", "begin: next names end of it"],
    ),
    (
        lambda s: main(s, "attempt")["try"]["steps"].append({"refused": {"return": "x"}}),
        ["refused: two steps have this name"],
    ),
    (lambda s: main(s, "attempt")["try"].update(steps=[]), ["attempt: there are no steps"]),
    (lambda s: main(s, "attempt").pop("except"), ["prepare: nothing catches its failure"]),
    (
        lambda s: s["main"]["steps"].insert(1, {"early": {"call": "sys.sleep", "args": {"seconds": 1}}}),
        ["early: nothing catches its failure"],
    ),
    (lambda s: main(s, "abandon").pop("except"), ["abandon_call: nothing catches its failure"]),
    (
        lambda s: main(s, "prepare")["args"].pop("deadline"),
        ["prepare: begin_prepare takes body, deadline, step; it is"],
    ),
    (lambda s: main(s, "prepare").update(call="call_nobody"), ["prepare: call names call_nobody, which is not there"]),
    (lambda s: s.update(idle={"steps": [{"x": {"return": 1}}]}), ["idle: nothing calls it"]),
    (lambda s: call_step(s)["args"].pop("timeout"), ["ask: timeout must be 1 to 1800"]),
    (lambda s: call_step(s)["args"].update(timeout=1801), ["ask: timeout must be 1 to 1800"]),
    (lambda s: call_step(s)["args"].update(timeout=True), ["ask: timeout must be 1 to 1800"]),
    (lambda s: call_step(s)["args"].pop("auth"), ["ask: auth must be OIDC, for the URL that is called"]),
    (lambda s: call_step(s)["args"]["auth"].update(audience="https://other"), ["ask: auth must be OIDC, for the URL"]),
    (lambda s: call_step(s, "patiently").pop("retry"), ["ask: retry of ${is_early} or ${is_transient} is missing"]),
    (lambda s: call_step(s, "once").pop("retry"), ["ask: retry of ${is_failure} is missing"]),
    (lambda s: call_step(s, "once")["try"]["steps"].pop(0), ["ask: no deadline is looked at before"]),
    (lambda s: call_step(s, "in_time")["switch"][0].pop("raise"), ["ask: no deadline is looked at before"]),
    (lambda s: main(s, "experiments")["parallel"].pop("concurrency_limit"), ["experiments: concurrency_limit must be"]),
    (
        lambda s: main(s, "experiments")["parallel"].update(concurrency_limit=21),
        ["experiments: concurrency_limit must be 1 to 20"],
    ),
    (
        lambda s: [main(s, name).update(result="chosen") for name in ("prepare", "select")],
        ["main: nothing sets search"],
    ),
    (lambda s: main(s, "begin")["assign"].pop(2), ["main: nothing sets deadline"]),
    (lambda s: main(s, "remember")["assign"][0].update(problem="${e.message + oops}"), ["main: nothing sets oops"]),
    (
        lambda s: main(s, "remember")["assign"][0].update(problem=f'${{"{"x" * 399}"}}'),
        ["main: an expression has 401 characters; accepted: 400"],
    ),
    (
        lambda s: main(s, "begin").update(assign=main(s, "begin")["assign"] * 11),
        ["begin: assign has more than 50 entries"],
    ),
    (lambda s: main(s, "begin")["assign"].append({"x": "y" * 131_072}), ["the source has", "accepted: 131,072"]),
]


def test_the_training_workflow_has_no_problems() -> None:
    assert lint.problems(sound()) == []


@pytest.mark.parametrize(("breakage", "expected"), BROKEN)
def test_what_is_wrong_is_named_by_its_step(breakage: Callable[[Source], object], expected: list[str]) -> None:
    source = sound()
    breakage(source)
    problems = lint.problems(source)
    for problem in expected:
        assert any(problem in named for named in problems), problems


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("predicate", "${other}", "predicate names ${other}, which is not there"),
        ("max_retries", 0, "max_retries must be 1 to 6"),
        ("max_retries", 7, "max_retries must be 1 to 6"),
    ],
)
def test_a_retry_says_for_what_and_how_often(key: str, value: object, problem: str) -> None:
    source = sound()
    source["begin_prepare"]["steps"][0]["patiently"]["retry"] = {**dialect.TRANSIENT, key: value}
    assert f"patiently: retry: {problem}" in lint.problems(source)


@pytest.mark.parametrize(
    ("backoff", "problem"),
    [
        ({"initial_delay": 1, "max_delay": 10, "multiplier": 1}, "multiplier must be above 1"),
        ({"initial_delay": 1, "max_delay": 10}, "multiplier must be above 1"),
        ({"initial_delay": 1, "multiplier": 2}, "max_delay must be there, and not below initial_delay"),
        ({"initial_delay": 20, "max_delay": 10, "multiplier": 2}, "max_delay must be there, and not below"),
    ],
)
def test_a_retry_waits_ever_longer_up_to_a_bound(backoff: dict[str, int], problem: str) -> None:
    source = sound()
    source["begin_prepare"]["steps"][0]["patiently"]["retry"] = {**dialect.TRANSIENT, "backoff": backoff}
    assert any(named.startswith(f"patiently: retry: {problem}") for named in lint.problems(source))


@pytest.mark.parametrize("name", ["is it", "1st", "a-b", ""])
def test_a_name_that_cannot_be_said_is_refused(name: str) -> None:
    source = sound()
    source["main"]["steps"].insert(0, {name: {"assign": [{"x": 1}]}})
    assert f"{name}: its name may hold letters, digits and _ alone" in lint.problems(source)


@given(st.integers(min_value=1, max_value=30), st.data())
def test_every_step_of_a_chain_is_reached_and_one_outside_it_is_not(length: int, data: st.DataObject) -> None:
    chain = [f"s{number}" for number in range(length)]
    steps = [{name: {"next": following}} for name, following in zip(chain, [*chain[1:], "last"], strict=True)]
    later = data.draw(st.permutations([*steps[1:], {"last": {"return": 1}}, {"island": {"return": 2}}]))
    assert lint.problems({"main": {"steps": [steps[0], *later]}}) == ["island: no step leads here"]
