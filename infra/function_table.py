"""Every function of the stack, a row each; what a row may say is in function_spec.py.

Settings, archives, permissions, environment, limits, triggers and the blueprint follow from
these rows: a new function is a row here and the module that its `entry` names.
"""

from __future__ import annotations

from infra.function_spec import (
    Demands,
    FunctionSpec,
    Http,
    Messages,  # noqa: F401 - for a row of yours
    NewObjects,
    OnSchedule,
    Size,
    Trigger,
    WorkflowStep,
    reads,
    removes,
    writes,
)
from interface import layout, variables

TABLE = "infra/function_table.py"
TRAIN = "train"
"""The row that trains; trainers.py makes others like it, each for one model alone."""
STOP = "stop"
"""The row that stops the stack: a stack has it if its settings say when, `budget.stop_at`."""

FUNCTIONS: tuple[FunctionSpec, ...] = (
    FunctionSpec(
        name="prepare",
        entry="functions.entries.prepare:prepare",
        trigger=WorkflowStep(),
        size=Size(memory_mb=2048, timeout_seconds=300),
        copies=2,
        needs=(
            reads("data", layout.INCOMING, layout.DATASETS, layout.FORECAST, layout.LABELLED),
            writes("data", layout.DATASETS),
            reads("models", layout.RUNS, layout.VERSIONS, layout.EXECUTIONS),
            writes("models", layout.RUNS, layout.EXECUTIONS),
        ),
        environment=(variables.DATA_URL, variables.MODELS_URL, variables.WINDOW),
    ),
    FunctionSpec(
        name="train",
        entry="functions.entries.train:train",
        trigger=WorkflowStep(),
        size=Size(memory_mb=3008, timeout_seconds=840),
        copies=4,
        needs=(reads("data", layout.DATASETS), reads("models", layout.RUNS), writes("models", layout.RUNS)),
        environment=(variables.DATA_URL, variables.MODELS_URL, variables.TIMEOUT_SECONDS, variables.MEMORY_MB),
        one_kernel=True,
    ),
    FunctionSpec(
        name="select",
        entry="functions.entries.select:select",
        trigger=WorkflowStep(),
        size=Size(memory_mb=2048, timeout_seconds=300),
        copies=2,
        needs=(
            reads("data", layout.DATASETS),
            reads("models", layout.RUNS, layout.VERSIONS, layout.LIVE),
            writes("models", layout.RUNS, layout.VERSIONS),
        ),
        environment=(variables.DATA_URL, variables.MODELS_URL),
    ),
    FunctionSpec(
        name="rollout",
        entry="functions.entries.rollout:rollout",
        trigger=WorkflowStep(),
        size=Size(memory_mb=512, timeout_seconds=60),
        copies=2,
        needs=(
            reads("models", layout.RUNS, layout.VERSIONS, layout.APPROVALS, *layout.NOTES, layout.LIVE),
            writes("models", layout.RUNS, layout.EXECUTIONS, layout.LIVE),
            reads("captures", ""),
        ),
        environment=(variables.MODELS_URL, variables.CAPTURES_URL, variables.ROLLOUT, variables.APPROVAL),
    ),
    FunctionSpec(
        name="supervise",
        entry="functions.entries.supervise:supervise",
        trigger=OnSchedule(cron="*/5 * * * *"),
        size=Size(memory_mb=256, timeout_seconds=120),
        copies=1,
        needs=(
            reads("models", layout.RUNS, layout.VERSIONS, layout.EXECUTIONS, layout.LIVE, layout.SUPERVISED),
            writes("models", layout.RUNS, layout.EXECUTIONS, layout.LIVE, layout.SUPERVISED),
        ),
        environment=(variables.MODELS_URL, variables.MODELS, variables.ROLLOUT, variables.QUIET_SECONDS),
    ),
    FunctionSpec(
        name="tally",
        entry="functions.core.registry.tally:tally",
        trigger=OnSchedule(cron="20 0 * * *"),
        size=Size(memory_mb=256, timeout_seconds=300),
        copies=1,
        needs=(
            reads("models", layout.RUNS, layout.USAGE),
            writes("models", layout.USAGE),
            reads("captures", ""),
            reads("jobs", layout.JOB_WORK),
        ),
        environment=(variables.MODELS_URL, variables.MODELS, variables.CAPTURES_URL, variables.JOBS_URL),
        requirements="supervise",
    ),
    FunctionSpec(
        name="watch",
        entry="functions.core.watching.watch:watch",
        trigger=OnSchedule(cron="50 0 * * *"),
        size=Size(memory_mb=1024, timeout_seconds=600),
        copies=1,
        needs=(
            reads(
                "models",
                layout.RUNS,
                layout.VERSIONS,
                layout.LIVE,
                layout.RETRAINING,
                layout.WATCH,
                layout.REFERENCES,
            ),
            writes("models", layout.RETRAINING, layout.WATCH, layout.REFERENCES),
            reads("captures", ""),
            writes("captures", ""),
            removes("captures", ""),
            reads("data", layout.INCOMING, layout.LABELLED),
            writes("data", layout.AGAIN, layout.LABELLED),
        ),
        environment=(
            variables.MODELS_URL,
            variables.MODELS,
            variables.CAPTURES_URL,
            variables.CAPTURE_DAYS,
            variables.DATA_URL,
            variables.RETRAINING,
        ),
        requirements="prepare",
    ),
    FunctionSpec(
        name="predict",
        entry="functions.entries.predict:predict",
        trigger=Http(),
        size=Size(memory_mb=1024, timeout_seconds=15),
        copies=8,
        needs=(
            reads("models", layout.VERSIONS, layout.LIVE),
            writes("captures", ""),
            reads("jobs", *layout.JOB_STATES, layout.JOB_FAILURES),
            writes("jobs", layout.JOB_INPUTS, layout.JOB_TICKETS),
        ),
        environment=(
            variables.MODELS_URL,
            variables.CAPTURES_URL,
            variables.JOBS_URL,
            variables.MODELS,
            variables.POINTER_SECONDS,
            variables.CAPTURE_INPUTS,
            variables.CAPTURE_REDACT,
            variables.CAPTURE_KEY,
            variables.TIMEOUT_SECONDS,
        ),
        signs=True,
    ),
    FunctionSpec(
        name="jobs",
        entry="functions.entries.jobs:jobs",
        trigger=NewObjects(store="jobs", prefixes=(layout.JOB_INPUTS, layout.JOB_CONTINUATIONS), arrival="submissions"),
        size=Size(memory_mb=1024, timeout_seconds=120),
        copies=2,
        needs=(
            reads("models", layout.VERSIONS, layout.LIVE),
            reads("jobs", layout.JOB_INPUTS, layout.JOB_RESULTS, layout.JOB_WORK, layout.JOB_TICKETS),
            writes("jobs", layout.JOB_RESULTS, layout.JOB_WORK, layout.JOB_FAILURES, layout.JOB_CONTINUATIONS),
        ),
        environment=(
            variables.MODELS_URL,
            variables.JOBS_URL,
            variables.MODELS,
            variables.POINTER_SECONDS,
            variables.ATTEMPTS,
            variables.PARALLELISM,
            variables.TIMEOUT_SECONDS,
            variables.JOBS_WEBHOOK,
            variables.JOBS_WEBHOOK_SECRET,
        ),
    ),
    FunctionSpec(
        name=STOP,
        entry="functions.core.stopping.stop:stop",
        trigger=Demands(),
        size=Size(memory_mb=256, timeout_seconds=300),
        copies=2,
        environment=(variables.MODELS_URL, variables.STOP_AT, variables.TIMEOUT_SECONDS),
        requirements="supervise",
    ),
)


def triggered_by(*kinds: type[Trigger]) -> tuple[FunctionSpec, ...]:
    """Return the rows whose trigger is of one of these kinds, in the table's order."""
    return tuple(spec for spec in FUNCTIONS if isinstance(spec.trigger, kinds))


def named(name: str) -> FunctionSpec:
    """Return the row of that name. Raise `KeyError` that lists the names there are."""
    for spec in FUNCTIONS:
        if spec.name == name:
            return spec
    raise KeyError(f"no function is called {name}; there are: {', '.join(spec.name for spec in FUNCTIONS)}")
