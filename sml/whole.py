"""What of a record is what a record holds: the rest is left out, and named, so that it hides nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Record = dict[str, Any]
Fits = Callable[[Any], bool]
DAMAGED = "damaged"
"""The key under which a record has the names of its parts that were left out."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _are(fits: Fits) -> Fits:
    return lambda value: isinstance(value, list) and all(map(fits, value))


def _has(parts: Mapping[str, Fits], *needed: str) -> Fits:
    """Return whether a value is an object whose parts are there, those that are needed, and fit."""

    def fits(value: Any) -> bool:
        return (
            isinstance(value, dict)
            and all(name in value for name in needed)
            and all(part(value[name]) for name, part in parts.items() if value.get(name) is not None)
        )

    return fits


def _of_objects(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(one, dict) for one in value.values())


def _are_intervals(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(one, list) and len(one) == 2 and all(map(_is_number, one)) for one in value.values()
    )


def _of_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_number, value.values()))


METRICS = _has(
    {
        "holdout": _is_object,
        "holdout_intervals": _are_intervals,
        "cross_validation": _of_objects,
        "asked": _are(_is_text),
    }
)
DECISION = _has({"for": _is_text, "threshold": _is_number, "folds": _of_numbers}, "for", "threshold")
INTERVAL = _has({"coverage": _is_number}, "coverage")
CHECK = _has({"name": _is_text, "detail": _is_text}, "name", "passed", "value", "bound")
REASON = _has({}, "reason", "count")
CARD: Mapping[str, Fits] = MappingProxyType(
    {
        "created": _is_text,
        "run": _is_text,
        "bytes": _is_number,
        "params": _is_object,
        "features": _are(_has({"name": _is_text, "kind": _is_text, "categories": _are(_is_text)}, "name")),
        "target": _has({"classes": _is_list}),
        "libraries": _is_object,
        "metrics": METRICS,
        "decision": DECISION,
        "interval": INTERVAL,
        "inputs": _are(_is_object),
    }
)
ORIGIN: Mapping[str, Fits] = MappingProxyType(
    {name: _is_text for name in ("stack", "store", "run", "dataset", "created", "at", "by", "known_by", "reason")}
)
RUN: Mapping[str, Fits] = MappingProxyType(
    {
        "created": _is_text,
        "source": _is_text,
        "version": _is_text,
        "rows": _is_number,
        "rejected_rows": _is_number,
        "checks": _are(CHECK),
        "metrics": METRICS,
        "warnings": _are(_is_text),
        "decision": DECISION,
        "interval": INTERVAL,
        "passed_over": _is_list,
        "report": _has({"reasons": _are(REASON)}),
        "split": _has({"said": _is_text}),
        "failures": _has({"said": _is_text}),
        "skipped": _has({"said": _is_text}),
        "suspects": _are(_has({"said": _is_text}, "said")),
        "rollout": _is_object,
        "approval": _is_object,
        "origin": _is_object,
    }
)
EXPERIMENT: Mapping[str, Fits] = MappingProxyType(
    {
        "params": _is_object,
        "mean": _is_number,
        "std": _is_number,
        "seconds": _is_number,
        "bytes": _is_number,
        "rows": _is_number,
        "metric": _is_text,
        "error": _is_text,
        "trace": _is_list,
        "why": _is_text,
    }
)


def whole(record: Record, parts: Mapping[str, Fits]) -> Record:
    """Return a record without the parts that are not what they should be, and their names under `DAMAGED`.

    Of a list, what fits of it stays.
    """
    # Nothing is no list, and may be any other part.
    odd = [
        name
        for name, fits in parts.items()
        if name in record and not fits(record[name]) and (record[name] is not None or fits([]))
    ]
    if not odd:
        return record
    rest = {name: [one for one in record[name] if parts[name]([one])] for name in odd if _is_list(record[name])}
    return {**{name: value for name, value in record.items() if name not in odd}, **rest, DAMAGED: odd}


def damage(record: Mapping[str, Any], verify: str) -> str:
    """Return a sentence about what was left out of a record, and that `verify` says more; empty for a whole one."""
    names = ", ".join(record.get(DAMAGED) or ())
    return names and f"damaged, and not shown: {names}; `{verify}` says what else is"


def rows_of(golden: Any) -> list[list[float]] | None:
    """Return the rows of golden answers; None for what holds none."""
    inputs = golden.get("inputs") if isinstance(golden, dict) else None
    return inputs if _are(_are(lambda one: one is None or _is_number(one)))(inputs) else None
