"""The tables that questions in SQL are asked of: what a row is, and its columns. Every engine's words follow from here.

Columns are added, may be empty, and never get another type under the same name: a file of an older release stays
readable, and has nothing in the columns that it lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    WHOLE = "whole"
    """A whole number, in 64 bits."""
    NUMBER = "number"
    FLAG = "flag"
    MOMENT = "moment"
    """A time, UTC, to the millisecond."""
    DAY = "day"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table."""

    name: str
    kind: Kind
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table."""

    name: str
    row: str
    """What a row is."""
    columns: tuple[Column, ...]
    open: bool = False
    """Whether it has further columns that follow from a model: its inputs, `in_<name>`, and answers, `out_<name>`."""


def _table(name: str, row: str, columns: dict[str, tuple[Kind, str]], *, is_open: bool = False) -> Table:
    """Return a table. The first columns of each are the day, by which files are chosen, and the model."""
    both = {"day": (Kind.DAY, "the day, UTC"), "model": (Kind.TEXT, "the model"), **columns}
    found = tuple(Column(name=each, kind=kind, meaning=meaning) for each, (kind, meaning) in both.items())
    return Table(name=name, row=row, columns=found, open=is_open)


_REQUEST: dict[str, tuple[Kind, str]] = {
    "time": (Kind.MOMENT, "when the request came"),
    "request": (Kind.TEXT, "the id of the request"),
    "version": (Kind.TEXT, "the version that was asked"),
    "variant": (Kind.TEXT, "in which role: champion, challenger, shadow, previous or pinned"),
}
CAPTURES = _table(
    "captures",
    "a request",
    _REQUEST
    | {
        "caller": (Kind.TEXT, "a pseudonym of the caller"),
        "key": (Kind.TEXT, "a pseudonym of the key that came with the request"),
        "status": (Kind.WHOLE, "the status of the answer, as HTTP has it"),
        "error": (Kind.TEXT, "why the version gave no answer"),
        "ms": (Kind.NUMBER, "how long the model took, in milliseconds"),
        "row_count": (Kind.WHOLE, "how many rows the request had"),
        "answered_by": (Kind.TEXT, "the version whose answer the caller got"),
        "agreed": (Kind.WHOLE, "of a request that two versions answered: rows with the same answer"),
        "champion_version": (Kind.TEXT, "of such a request: the champion"),
        "champion_ms": (Kind.NUMBER, "of such a request: how long the champion took, in milliseconds"),
    },
)
PREDICTIONS = _table(
    "predictions",
    "a row of a request, where rows are captured",
    _REQUEST
    | {
        "place": (Kind.WHOLE, "which row of its request it is, from 0"),
        "predicted": (Kind.TEXT, "the class that was answered"),
        "predicted_number": (Kind.NUMBER, "the number that was answered"),
    },
    is_open=True,
)
TRUTHS = _table(
    "truths",
    "a row with its truth, of the newest of a version and day",
    {
        "time": (Kind.MOMENT, "when the row was answered"),
        "version": (Kind.TEXT, "the version that answered it"),
        "predicted": (Kind.TEXT, "the class that was answered"),
        "truth": (Kind.TEXT, "the class that turned out to be right"),
        "predicted_number": (Kind.NUMBER, "the number that was answered"),
        "truth_number": (Kind.NUMBER, "the number that turned out to be right"),
    },
)
RUNS = _table(
    "runs",
    "a run, on the day on which it began, as its record stands now",
    {
        "run": (Kind.TEXT, "the id of the run"),
        "status": (Kind.TEXT, "its state"),
        "created": (Kind.MOMENT, "when it began"),
        "source": (Kind.TEXT, "the object that was uploaded"),
        "dataset": (Kind.TEXT, "the digest of its rows"),
        "version": (Kind.TEXT, "the version that came of it"),
        "row_count": (Kind.WHOLE, "rows of the dataset"),
        "rejected_rows": (Kind.WHOLE, "rows that were set aside"),
        "cause": (Kind.TEXT, "why it ended as it did"),
        "seconds": (Kind.NUMBER, "how many seconds its steps were billed for"),
        "usd": (Kind.NUMBER, "what its steps cost"),
    },
)
EXPERIMENTS = _table(
    "experiments",
    "an experiment, on the day on which its run began",
    {
        "run": (Kind.TEXT, "the id of its run"),
        "experiment": (Kind.TEXT, "its id"),
        "chosen": (Kind.FLAG, "whether the run's version is of it"),
        "params": (Kind.TEXT, "its parameters, as JSON"),
        "metric": (Kind.TEXT, "what it was measured by"),
        "mean": (Kind.NUMBER, "the mean of the folds"),
        "std": (Kind.NUMBER, "the deviation of the folds"),
        "seconds": (Kind.NUMBER, "how many seconds it took"),
        "bytes": (Kind.WHOLE, "the size of its ONNX file"),
        "error": (Kind.TEXT, "why it failed"),
    },
)
REJECTIONS = _table(
    "rejections",
    "a reason for which rows of a run's dataset were set aside, of the most frequent ones",
    {
        "run": (Kind.TEXT, "the id of the run"),
        "source": (Kind.TEXT, "the object that was uploaded"),
        "field": (Kind.TEXT, "the column at fault; empty for the whole row"),
        "reason": (Kind.TEXT, "what is wrong"),
        "row_count": (Kind.WHOLE, "how many rows"),
    },
)
JOBS = _table(
    "jobs",
    "a job, on the day on which it ended",
    {
        "job": (Kind.TEXT, "its name"),
        "ended": (Kind.MOMENT, "when it ended"),
        "status": (Kind.TEXT, "done, failed or cancelled"),
        "version": (Kind.TEXT, "the version that answered it"),
        "row_count": (Kind.WHOLE, "how many rows it had"),
        "refused": (Kind.WHOLE, "how many of them got an error"),
        "error": (Kind.TEXT, "why it failed"),
    },
)
COSTS = _table(
    "costs",
    "what a version, or a step of a run, used on a day",
    {
        "kind": (Kind.TEXT, "predictions, jobs or training"),
        "version": (Kind.TEXT, "the version; `none` where none answered"),
        "run": (Kind.TEXT, "the id of the run"),
        "step": (Kind.TEXT, "the step of the run"),
        "calls": (Kind.WHOLE, "calls of functions"),
        "seconds": (Kind.NUMBER, "seconds that were billed"),
        "gb_seconds": (Kind.NUMBER, "gigabytes of memory times these seconds"),
        "usd": (Kind.NUMBER, "what the functions cost, without free tiers"),
        "kwh": (Kind.NUMBER, "energy"),
        "grams": (Kind.NUMBER, "grams of CO2e"),
    },
)
DRIFT = _table(
    "drift",
    "a column of a model, compared with what the version learnt from, on a day",
    {
        "version": (Kind.TEXT, "the version that was live"),
        "field": (Kind.TEXT, "the column, or the answers"),
        "state": (Kind.TEXT, "few, steady, shifted or drifted"),
        "psi": (Kind.NUMBER, "the population stability index"),
        "chance": (Kind.NUMBER, "what chance alone exceeds once in a hundred checks"),
        "said": (Kind.TEXT, "what moved most"),
    },
)
TABLES = (CAPTURES, PREDICTIONS, TRUTHS, RUNS, EXPERIMENTS, REJECTIONS, JOBS, COSTS, DRIFT)
BY_NAME = {table.name: table for table in TABLES}
