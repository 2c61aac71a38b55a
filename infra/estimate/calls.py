"""How often each function of a stack is called: by the API, by the workflow, by messages, on time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from infra import cron
from infra.estimate.served import Calls
from infra.estimate.situation import PREDICT, Situation
from infra.estimate.use import Per
from infra.function_spec import Demands, FunctionSpec, Messages, NewObjects, OnSchedule, WorkflowStep
from infra.function_table import FUNCTIONS
from infra.workflow import Call, Choose, Each, Ref, Workflow, training


@dataclass(frozen=True, kw_only=True)
class Run:
    """The steps of a training run that ends with a promotion, as the workflow is defined."""

    states: float
    """Steps that are entered, each experiment counted."""
    calls: Counter[str]
    """Of each function."""


def run(situation: Situation) -> Run:
    """Return what a run of the workflow passes through, if nothing fails and every bake sees enough requests."""
    timeouts = {spec.name: 1 for spec in FUNCTIONS}
    workflow = training(parallelism=1, timeout_seconds=1, function_timeouts=timeouts)
    return _walked(workflow, situation.experiments_a_run, situation.bakes)


def _walked(workflow: Workflow, experiments: float, bakes: int) -> Run:
    answers = {"search.status": iter(["accepted", "registered"])}
    answers["rollout.status"] = iter([*["canary"] * bakes, "promoted"])
    states, calls, name = 0.0, Counter[str](), workflow.start
    while True:
        step = workflow.step(name)
        states += 1
        match step:
            case Each():
                states += experiments
                calls[step.function] += experiments  # ty: ignore[invalid-assignment]
            case Call():
                calls[step.function] += 1
            case Choose(on=Ref(path=path)):
                name = step.cases[next(answers[path])]
                continue
        following = getattr(step, "next", None)
        if following is None:
            return Run(states=states, calls=calls)
        name = following


def calls(name: str, situation: Situation) -> list[Calls] | None:
    """Return how a function is called, by its name in the stack; None for one that nobody here knows."""
    traffic = situation.traffic
    if name in situation.predicting:
        share = len(situation.predicting[name]) / len(situation.models)
        return [
            Calls(
                per=Per.PREDICTION,
                number=share / traffic.rows_a_request,
                seconds=traffic.milliseconds_a_request / 1000,
                rate=traffic.requests_per_second * share,
                starts_a_call=traffic.starts_a_request,
                start_seconds=traffic.milliseconds_a_start / 1000,
            )
        ]
    if name == PREDICT:
        return []  # every model has a function of its own
    spec = next((spec for spec in FUNCTIONS if spec.name == name), None)
    return None if spec is None else list(_by_trigger(spec, situation))


def _by_trigger(spec: FunctionSpec, situation: Situation) -> Iterator[Calls]:
    traffic = situation.traffic
    match spec.trigger:
        case WorkflowStep():
            if number := run(situation).calls[spec.name]:
                seconds = traffic.seconds_an_experiment if spec.one_kernel else traffic.seconds_a_step
                yield Calls(per=Per.RUN, number=number, seconds=seconds)
        case OnSchedule(cron=text):
            yield Calls(per=Per.MONTH, number=times_a_month(text), seconds=traffic.seconds_a_step)
        case Demands():
            pass  # a few calls a month
        case NewObjects() | Messages():
            yield Calls(per=Per.JOB, number=1, seconds=traffic.seconds_a_job)


def times_a_month(text: str) -> float:
    """Return how often five cron fields are due in 30 days."""
    due = cron.parse(text)
    minutes, hours = len(due.minutes or range(60)), len(due.hours or range(24))
    days = 30 * len(due.days or range(31)) / 31 * len(due.weekdays or range(7)) / 7 * len(due.months or range(12)) / 12
    return minutes * hours * days


def looks_a_month() -> float:
    """Return how often the supervisor looks after each model."""
    return sum(times_a_month(spec.trigger.cron) for spec in FUNCTIONS if isinstance(spec.trigger, OnSchedule))
