from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.aws import dialect, lint
from infra.workflow import training

STEPS = ("prepare", "train", "select", "rollout")


def sound() -> dict[str, Any]:
    workflow = training(parallelism=4, timeout_seconds=3600, function_timeouts=dict.fromkeys(STEPS, 60))
    return dialect.render(workflow, {step: f"arn:{step}" for step in STEPS})


def test_the_training_workflow_has_no_problems() -> None:
    assert lint.problems(sound()) == []


def inner(states: dict[str, Any]) -> dict[str, Any]:
    return states["experiments"]["ItemProcessor"]


BROKEN: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda d: d.update(StartAt="begin"), "the state machine: StartAt names begin, which is not a state"),
    (lambda d: d.pop("TimeoutSeconds"), "the state machine: TimeoutSeconds is missing"),
    (lambda d: d["States"]["prepare"].update(Next="gone"), "prepare: Next names gone, which is not a state"),
    (lambda d: d["States"]["prepare"].pop("Next"), "prepare: exactly one of Next and End is needed"),
    (lambda d: d["States"]["prepare"].update(End=True), "prepare: exactly one of Next and End is needed"),
    (lambda d: d["States"]["promoted"].update(End=True), "promoted: a Succeed has no End"),
    (lambda d: d["States"]["promoted"].update(Type="Stop"), "promoted: Type is Stop, which is not one of"),
    (lambda d: d["States"]["is it usable"].pop("Default"), "is it usable: Default is missing"),
    (lambda d: d["States"]["is it usable"].update(Default="gone"), "is it usable: Default names gone"),
    (lambda d: d["States"]["is it usable"].update(Choices=[]), "is it usable: Choices is empty"),
    (lambda d: d["States"]["is it usable"]["Choices"][0].update(Next="gone"), "is it usable: Choices names gone"),
    (lambda d: d["States"].update(island={"Type": "Succeed"}), "island: no state leads here"),
    (lambda d: d["States"]["prepare"].pop("Catch"), "prepare: Catch of States.ALL is missing"),
    (lambda d: d["States"]["experiments"].update(Catch=[]), "experiments: Catch of States.ALL is missing"),
    (
        lambda d: d["States"]["prepare"]["Catch"][0].update(ErrorEquals=["States.Timeout"]),
        "prepare: Catch of States.ALL",
    ),
    (lambda d: d["States"]["prepare"]["Catch"][0].update(Next="gone"), "prepare: Catch names gone"),
    (lambda d: d["States"]["prepare"].pop("TimeoutSeconds"), "prepare: TimeoutSeconds is missing"),
    (lambda d: d["States"]["prepare"]["Retry"].pop(0), "prepare: Retry of Lambda.AWSLambdaException"),
    (lambda d: d["States"]["prepare"]["Retry"].pop(1), "prepare: Retry of States.TaskFailed and States.Timeout"),
    (lambda d: d["States"]["experiments"].pop("MaxConcurrency"), "experiments: MaxConcurrency is missing"),
    (lambda d: inner(d["States"])["States"]["experiments: train"].pop("Retry"), "experiments: train: Retry of"),
    (lambda d: inner(d["States"])["States"]["experiments: train"].pop("TimeoutSeconds"), "experiments: train: Timeout"),
    (lambda d: inner(d["States"]).update(StartAt="gone"), "experiments: ItemProcessor: StartAt names gone"),
    (
        lambda d: inner(d["States"])["States"].update({"prepare": {"Type": "Succeed"}}),
        "prepare: two states have this name",
    ),
    (lambda d: d["States"].update({"x" * 81: d["States"].pop("refused")}), "the name has 81 characters"),
]


@pytest.mark.parametrize(("break_", "problem"), BROKEN, ids=[problem for _, problem in BROKEN])
def test_a_broken_definition_is_named(break_: Callable[[dict[str, Any]], Any], problem: str) -> None:
    definition = sound()
    break_(definition)
    assert any(problem in named for named in lint.problems(definition)), lint.problems(definition)


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("BackoffRate", 1, "BackoffRate must be above 1"),
        ("MaxDelaySeconds", None, "MaxDelaySeconds is missing"),
        ("JitterStrategy", "NONE", "JitterStrategy must be FULL"),
        ("MaxAttempts", 7, "MaxAttempts must be 1 to 6"),
        ("MaxAttempts", 0, "MaxAttempts must be 1 to 6"),
    ],
)
def test_every_retrier_is_bounded(key: str, value: object, problem: str) -> None:
    definition = sound()
    definition["States"]["select"]["Retry"][1][key] = value
    assert lint.problems(definition) == [f"select: Retry: {problem}"]


def test_a_state_machine_without_an_end_is_reported() -> None:
    spinning = {
        "StartAt": "a",
        "TimeoutSeconds": 60,
        "States": {"a": {"Type": "Wait", "Next": "b"}, "b": {"Type": "Wait", "Next": "a"}},
    }
    assert lint.problems(spinning) == ["the state machine: no state ends it"]


def test_an_empty_state_machine_is_reported() -> None:
    assert lint.problems({}) == [
        "the state machine: TimeoutSeconds is missing",
        "the state machine: StartAt names None, which is not a state",
        "the state machine: no state ends it",
    ]


NAMES = st.sampled_from(["a", "b", "c", "d"])


@given(st.dictionaries(NAMES, st.fixed_dictionaries({"Type": st.just("Pass"), "Next": NAMES}), min_size=1), NAMES)
def test_chains_without_an_end_are_never_sound(states: dict[str, Any], start: str) -> None:
    assert lint.problems({"StartAt": start, "TimeoutSeconds": 1, "States": states})


@given(st.permutations(["a", "b", "c", "d"]), st.integers(min_value=1, max_value=4))
def test_a_chain_is_sound_and_losing_any_link_is_not(order: list[str], length: int) -> None:
    names = order[:length]
    states: dict[str, Any] = {
        name: {"Type": "Pass", **({"Next": names[at + 1]} if at + 1 < length else {"End": True})}
        for at, name in enumerate(names)
    }
    machine = {"StartAt": names[0], "TimeoutSeconds": 1, "States": states}
    assert lint.problems(machine) == []
    for name in names:
        assert lint.problems({**machine, "States": {k: v for k, v in states.items() if k != name}})
