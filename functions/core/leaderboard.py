"""The experiments of a run, the best first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.contract import LOWER_IS_BETTER

if TYPE_CHECKING:
    from collections.abc import Sequence


def rank(records: Sequence[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
    """Experiments by the cross-validated mean of `metric`; of equals the smaller file, then the earlier in the plan.

    Those that failed stand last, with their message.
    """
    sign = 1 if metric in LOWER_IS_BETTER else -1
    order = {record["id"]: position for position, record in enumerate(records)}
    succeeded = [_line(record, metric) for record in records if record["status"] == "succeeded"]
    succeeded.sort(key=lambda line: (sign * line["mean"], line["bytes"], order[line["id"]]))
    failed = [
        {"id": record["id"], "params": record["params"], "status": "failed", "error": record["error"]}
        for record in records
        if record["status"] == "failed"
    ]
    return [*succeeded, *failed]


def _line(record: dict[str, Any], metric: str) -> dict[str, Any]:
    return {
        "id": record["id"],
        "params": record["params"],
        "status": "succeeded",
        "metric": metric,
        "mean": record["metrics"][metric]["mean"],
        "std": record["metrics"][metric]["std"],
        "bytes": record["bytes"],
        "seconds": round(sum(record["seconds"].values()), 3),
    }
