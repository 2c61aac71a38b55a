"""What `sml`, `make demo` and `make up` say of a run and of a release, in the same words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from interface import layout
from models.readable import readable
from models.task import lower_is_better

if TYPE_CHECKING:
    from sml.typed import Typed

TITLES = MappingProxyType(
    {
        "roc_auc": "ROC AUC",
        "average_precision": "average precision",
        "balanced_accuracy": "balanced accuracy",
        "log_loss": "log loss",
        "brier": "Brier score",
        "calibration_error": "calibration error",
        "rmse": "RMSE",
        "mae": "MAE",
        "median_absolute_error": "median error",
        "r2": "R2",
        "mape": "MAPE",
    }
)
"""What people call a metric, where its name is another."""
READ = MappingProxyType({"data_url": layout.INCOMING, "jobs_url": layout.JOB_INPUTS})
"""Below a model's name, where a file has an effect: by the output that names the store."""
OURS = (layout.DATASETS, layout.JOB_RESULTS, layout.JOB_FAILURES)
"""Prefixes below a model's name that functions write, and nobody else."""


def misplaced(output: str, url: str, key: str, models: Collection[str]) -> str | None:
    """Say that nothing reads a file where it was put, and where to put it; None where something may."""
    first, _, rest = key.partition("/")
    prefix = READ.get(output)
    if prefix is None or key.startswith(".") or rest.startswith(OURS) or (first in models and rest.startswith(prefix)):
        return None
    name = key.rpartition("/")[2]
    if rest and first in models:
        return f"{url}/{key} has no effect there; put it at {url}/{first}/{prefix}{name}"
    known = ", ".join(models) or "none"
    why = f"there is no model {first} in this stack" if rest else "it is below no model's name"
    return f"{url}/{key}: {why}; put it at {url}/MODEL/{prefix}{name}, MODEL being one of: {known}"


def uploaded(name: str, model: str, size: str = "") -> str:
    """Say that a file came: `wdbc.csv, 569 rows -> data/breast_cancer/incoming/`."""
    return f"{name}{size and f', {size}'} -> data/{model}/{layout.INCOMING}"


def prepared(record: Mapping[str, Any], features: int = 0) -> str:
    """Say what was found in a dataset, by the record of its run; `features` is 0 where nobody counted them."""
    counted = f"{features} features, " if features else ""
    return f"{record['rows']} rows, {record['rejected_rows']} rejected, {counted}digest {record['dataset'][:8]}"


def leaderboard(experiments: Iterable[Mapping[str, Any]], metric: str) -> list[Mapping[str, Any]]:
    """Return the records of the experiments that succeeded, the best mean of `metric` first."""
    succeeded = [record for record in experiments if record["status"] == "succeeded"]
    return sorted(succeeded, key=lambda record: record["metrics"][metric]["mean"], reverse=not lower_is_better(metric))


def experiments(done: int, planned: int, best: str) -> str:
    """Say how many experiments are done, and which is best."""
    return f"{done} of {planned}  best: {best}"


def in_round(record: Mapping[str, Any]) -> int:
    """Return the number of the round that an experiment was in last, by its record."""
    return len(record.get("rounds", ())) + (record["status"] == "succeeded")


def experiment(record: Mapping[str, Any], metric: str) -> str:
    """Say what an experiment came to: `logistic, c 1.0, ROC AUC 0.994 +- 0.004`."""
    named = _parameters(record["params"])
    if record["status"] == "failed":
        return f"{named}: {record.get('error')}"
    if record["status"] == "skipped":
        return f"{named}: skipped, {record.get('why')}"
    rows = f" on {record['rounds'][-1]['rows']:,} rows" if record["status"] == "stopped" else ""
    return f"{named}, {score(record, metric)}{rows}"


def score(record: Mapping[str, Any], metric: str) -> str:
    """Say how good an experiment is: `ROC AUC 0.994 +- 0.004`."""
    found = record["metrics"][metric]
    return f"{TITLES.get(metric, metric)} {found['mean']:.3f} +- {found['std']:.3f}"


def best(record: Mapping[str, Any], metric: str) -> str:
    """Say which experiment is best, by its family where it has one: `logistic, ROC AUC 0.994 +- 0.004`."""
    family = record["params"].get("family")
    return experiment(record, metric) if family is None else f"{family}, {score(record, metric)}"


def ends(metrics: Mapping[str, Any], name: str) -> str:
    """Say between which values a metric of the holdout would be on other rows like these; "" where nobody knows."""
    known = (metrics.get("holdout_intervals") or {}).get(name)
    return "" if known is None else f"{readable(known[0])} to {readable(known[1])}"


def holdout(metrics: Mapping[str, Any]) -> list[str]:
    """Say what each metric is on the holdout, those that were asked for first: `roc_auc  0.9925  0.974 to 1`."""
    measured = {name: value for name, value in (metrics.get("holdout") or {}).items() if isinstance(value, int | float)}
    width = max(map(len, measured), default=0)
    asked = [name for name in metrics.get("asked") or () if name in measured]
    return [
        f"{name:<{width}}  {readable(measured[name]):<8}  {ends(metrics, name)}".rstrip()
        for name in dict.fromkeys([*asked, *measured])
    ]


def naive(metrics: Mapping[str, Any]) -> list[str]:
    """Say how far naive forecasts are off on the holdout: `repeating sales_lag_7  mae 12.3  rmse 15.1`."""
    found = {name: errors for name, errors in (metrics.get("naive") or {}).items() if isinstance(errors, dict)}
    width = max(map(len, found), default=0)
    return [
        "  ".join([f"repeating {name:<{width}}", *(f"{metric} {readable(value)}" for metric, value in errors.items())])
        for name, errors in sorted(found.items(), key=lambda one: (len(one[0]), one[0]))
    ]


def interval(declared: Mapping[str, Any]) -> str:
    """Say what the interval of an answer is to hold: `low to high, between which 0.9 of the truths are to lie`."""
    return f"low to high, between which {declared['coverage']:g} of the truths are to lie"


def evidence(record: Mapping[str, Any]) -> str:
    """Say what the judge has seen of a run's release, by its record: `against 0.4 of 20 needed, for 3.1 of 20`.

    Empty where it has not looked yet, or the record is of an older program.
    """
    rollout = record.get("rollout")
    seen = rollout.get("evidence") if isinstance(rollout, dict) else None
    weighing = seen.get("weighing") if isinstance(seen, dict) else None
    names = ("against", "against_needed", "in_favour", "in_favour_needed")
    numbers = [weighing.get(name) for name in names] if isinstance(weighing, dict) else []
    if not numbers or not all(isinstance(number, int | float) for number in numbers):
        return ""
    against, against_needed, in_favour, in_favour_needed = numbers
    return f"against {against:.3g} of {against_needed:.3g} needed, for {in_favour:.3g} of {in_favour_needed:.3g} needed"


def gate(checks: Collection[Mapping[str, Any]]) -> str:
    """Say how many checks a candidate passed."""
    return f"{sum(check['passed'] for check in checks)} of {len(checks)} checks passed"


def scheduled(schedule: Mapping[str, Any]) -> str:
    """Say until when a training waits for its slot, and why: `until 2026-11-28 02:00 UTC: 142 gCO2e/kWh ...`."""
    slot, deadline = (str(schedule.get(name))[:16].replace("T", " ") for name in ("slot", "deadline"))
    return f"until {slot} UTC: {schedule.get('reason')}; at the latest {deadline} UTC"


def began(schedule: Mapping[str, Any]) -> str:
    """Say when a training began that its schedule had wait, and why: `2026-11-28 02:00 UTC: 142 gCO2e/kWh ...`."""
    saving = schedule.get("saving")
    saved = f", {saving:.0%} less" if isinstance(saving, int | float) and saving > 0 else ""
    return f"{str(schedule.get('slot'))[:16].replace('T', ' ')} UTC: {schedule.get('reason')}{saved}"


def retrained(record: Mapping[str, Any]) -> str:
    """Say why a run trained again, and on how many labelled rows: `drift: ...; 310 labelled rows`; empty for others."""
    request, further = record.get("retraining"), record.get("further")
    if not isinstance(request, dict):
        return ""
    rows = further.get("rows", 0) - further.get("rejected_rows", 0) if isinstance(further, dict) else 0
    return f"{request.get('cause')}: {request.get('said')}; {rows:,} labelled rows"


def awaiting(typed: Typed, model: str, version: str) -> str:
    """Say that a version waits for a person's word, and how it is given; `typed` writes a command."""
    named = f"{model}@{version}"
    approve, reject = typed("approve", named), typed("reject", named, "--reason", "WHY")
    return f"{named} waits for a person's word: `{approve}` or `{reject}`"


def decided(approval: Mapping[str, Any]) -> str:
    """Say who has decided about a version, when and why: `approved 2026-11-30 10:00 UTC by ann (AWS): enough seen`."""
    at = str(approval.get("at"))[:16].replace("T", " ")
    why = f": {approval['reason']}" if approval.get("reason") else ""
    return f"{approval.get('decision')} {at} UTC by {approval.get('by')} ({approval.get('known_by')}){why}"


def origin(found: Mapping[str, Any]) -> str:
    """Say from which stack a version came, of which run there, who brought it and when.

    As in `dev, run 310bffd3, 2026-11-30 10:00 UTC by ann (AWS): the quarter's model`.
    """
    run = f", run {found['run']}" if found.get("run") else ""
    at = str(found.get("at"))[:16].replace("T", " ")
    why = f": {found['reason']}" if found.get("reason") else ""
    before = f"; there from {origin(found['origin'])}" if isinstance(found.get("origin"), dict) else ""
    return f"{found.get('stack')}{run}, {at} UTC by {found.get('by')} ({found.get('known_by')}){why}{before}"


def said_of(record: Mapping[str, Any], part: str) -> str:
    """Say what a run's record says of a part, such as its split; nothing where it has none."""
    return str((record.get(part) or {}).get("said") or "")


def suspects(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the features to be suspicious of, by the record of a run, or by its report where it was rejected."""
    found = record.get("suspects") or (record.get("report") or {}).get("suspects") or ()
    return [one for one in found if isinstance(one, dict) and "said" in one]


def weights(shares: Sequence[int]) -> str:
    """Say which shares of the callers a challenger had, in their order."""
    return " % -> ".join(map(str, shares)) + " %"


def promoted(model: str, champion: str, before: str | None) -> str:
    """Say which version is live now."""
    return f"{model} @ {champion} (before: {before or 'none'})"


def _parameters(params: Mapping[str, Any]) -> str:
    """Name an experiment by its parameters, its family first: `logistic, c 1.0`."""
    family = [str(params["family"])] if "family" in params else []
    others = [f"{name} {value}" for name, value in params.items() if name != "family"]
    return ", ".join([*family, *others]) or "without parameters"
