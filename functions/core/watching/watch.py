"""The function that compacts each day once it is over, joins it with its truths, and compares it with the training."""

from __future__ import annotations

import gc
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.core.registry.daily_usage import days
from functions.core.registry.live_pointer import Live
from functions.core.runtime.step import Step
from functions.core.watching.checks import Checks, Document
from functions.core.watching.compaction import Compaction, kept_from, settled_before
from functions.core.watching.qualities import answered_of
from functions.core.watching.trained_again import TrainedAgain
from interface import variables
from interface.retraining import RetrainingPolicy
from models.catalogue import load
from models.section import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from functions.core.runtime.environment import Environment
    from functions.core.runtime.log import Log
    from functions.core.watching.answered import Answered

LOOKED_BACK = 7
"""Days before today of which those are checked that have no check, as after calls that failed."""


def watch(environment: Environment, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Step:
    """Compose the step that compacts the days before today, joins them with their truths and checks them, by model.

    With `{"as_of": "2026-11-24"}`, a day that has begun, it does what it would have done in the night before that day.
    """
    models, captures = environment.store(variables.MODELS_URL), environment.store(variables.CAPTURES_URL)
    log, policy = environment.log(), environment.optional(variables.RETRAINING)
    again = TrainedAgain(
        policy=None if policy is None else RetrainingPolicy.from_json(policy),
        models=models,
        captures=captures,
        data=environment.store(variables.DATA_URL),
        log=log,
    )

    kept_days = int(environment.number(variables.CAPTURE_DAYS))

    def act(payload: Mapping[str, Any]) -> Mapping[str, Any]:
        moment = _moment(payload, now())
        # Millions of values in lists that make no circles: to look for circles among them takes a third of the time.
        gc.disable()
        try:
            return look(moment)
        finally:
            gc.enable()

    def look(moment: datetime) -> Mapping[str, Any]:
        before = days(moment.date() - timedelta(days=1), LOOKED_BACK)
        states = {}
        for name in environment.names(variables.MODELS):
            checks = Checks(model=name, models=models, captures=captures, answered=_answered(name))
            _compact(checks, moment.date(), log)
            found: list[Document] = []
            try:
                champion = Live(models, name).read().champion
                if champion is not None and checks.refer(champion, f"{moment:%Y-%m-%d}"):
                    log.info("reference taken of captured rows", model=name, version=champion)
                found = _check(checks, before, champion)
            except Exception as problem:
                log.error("model not watched", problem=problem, model=name, metric="NotWatched")
            # Only now: a day that is kept no longer may have been joined with its truths this night.
            _expire(checks, moment.date(), kept_days, log)
            for check in found:
                states[name] = check["state"]
                if check["confirmed"]:
                    about = {key: check[key] for key in ("model", "version", "day", "said")}
                    log.warning("drift", **about, columns=check["confirmed"], metric="Drift")
                if (quality := check.get("quality", {})).get("state") == "below":
                    about = {key: quality[key] for key in ("version", "floor", "said")}
                    measured = {"of": quality["metric"], "value": quality["metrics"][quality["metric"]]["value"]}
                    log.warning(
                        "quality", model=name, day=check["day"], **about, **measured, metric="QualityBelowFloor"
                    )
            if found:
                again.after(name, found[-1], moment.timestamp())
        return {"checked": states}

    return Step(name="watch", act=act, log=log, metering=environment.metering)


def _moment(payload: Mapping[str, Any], now: datetime) -> datetime:
    """Return the time as of which the days are checked. Raise `ValueError`, which says what is accepted."""
    day = payload.get("as_of")
    if day is None:
        return now
    try:
        moment = datetime.fromisoformat(f"{day}T00:50:00+00:00")
    except ValueError:
        moment = None
    if moment is None or moment.date() > now.date():
        raise ValueError(f"as_of is {str(day)[:40]!r}; accepted: a day that has begun, as 2026-11-24")
    return moment


def _compact(checks: Checks, today: date, log: Log) -> None:
    """Compact what is over. Never raise: join and check read the rest as it is."""
    compaction = Compaction(checks.captures, checks.model, checks.columns)
    try:
        for day in compaction.days(settled_before(checks.models, checks.model, f"{today:%Y-%m-%d}")):
            removed = compaction.compact(day)
            log.info("captures compacted", model=checks.model, day=day, objects=removed)
    except Exception as problem:
        log.error("captures not compacted", problem=problem, model=checks.model, metric="NotCompacted")


def _expire(checks: Checks, today: date, kept_days: int, log: Log) -> None:
    """Remove the files of days that are kept no longer. Never raise: the next night does it."""
    try:
        Compaction(checks.captures, checks.model, checks.columns).expire(kept_from(today, kept_days))
    except Exception as problem:
        log.error("captures not removed", problem=problem, model=checks.model, metric="NotCompacted")


def _check(checks: Checks, days: Sequence[str], champion: str | None) -> list[Document]:
    """Check those of the days that have no check, in their order, and return what was found."""
    known, made = checks.days(), []
    for day in days:
        if day not in known:
            if checks.qualities is not None:
                checks.qualities.settle(day)
            made.append(checks.check(day, champion))
            checks.write(day, made[-1])
    return made


def _answered(model: str) -> Answered | None:
    """Return what the answers of a model are; None where its contract is not here, or no truth is told of it."""
    try:
        return answered_of(load(model))
    except ContractError:
        return None
