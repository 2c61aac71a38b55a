"""Retry policies. https://cloud.google.com/workflows/docs/reference/syntax/retrying"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.gcp.workflows.errors import Refused
from localcloud.gcp.workflows.steps import Predicate, Retry
from localcloud.gcp.workflows.values import Values

PREDICATES: Mapping[str, Predicate] = {
    "http.default_retry_predicate": Predicate(
        codes=frozenset({429, 502, 503, 504}),
        tags=frozenset({"ConnectionError", "ConnectionFailedError", "TimeoutError"}),
    ),
    "http.default_retry_predicate_non_idempotent": Predicate(
        codes=frozenset({429, 503}), tags=frozenset({"ConnectionFailedError"})
    ),
}
BACKOFF = {"initial_delay": 1, "max_delay": 60, "multiplier": 1.25}
RETRIES: Mapping[str, Mapping[str, Any]] = {
    "${http.default_retry}": {
        "predicate": "${http.default_retry_predicate}",
        "max_retries": 5,
        "backoff": BACKOFF,
    },
    "${http.default_retry_non_idempotent}": {
        "predicate": "${http.default_retry_predicate_non_idempotent}",
        "max_retries": 5,
        "backoff": BACKOFF,
    },
}
"""https://cloud.google.com/workflows/docs/reference/stdlib/http/default_retry"""


def read_retry(raw: Any, values: Values, subworkflows: frozenset[str], where: str) -> Retry:
    """Parse a retry policy. Raises `Refused` for one without a predicate, a number of retries and a backoff."""
    policy = RETRIES.get(raw.replace(" ", "")) if isinstance(raw, str) else raw
    if not isinstance(policy, Mapping) or set(policy) != {"predicate", "max_retries", "backoff"}:
        raise Refused(f"{where}: retry: accepted: predicate, max_retries and backoff, or {', '.join(RETRIES)}")
    backoff = policy["backoff"]
    if not isinstance(backoff, Mapping) or set(backoff) != {"initial_delay", "max_delay", "multiplier"}:
        raise Refused(f"{where}: backoff: accepted: initial_delay, max_delay and multiplier")
    return Retry(
        predicate=_predicate(policy["predicate"], subworkflows, where),
        max_retries=values.value(policy["max_retries"], where),
        initial_delay=values.value(backoff["initial_delay"], where),
        max_delay=values.value(backoff["max_delay"], where),
        multiplier=values.value(backoff["multiplier"], where),
    )


def _predicate(raw: Any, subworkflows: frozenset[str], where: str) -> str | Predicate:
    name = raw.strip()[2:-1].strip() if isinstance(raw, str) and raw.strip().startswith("${") else ""
    if name in PREDICATES:
        return PREDICATES[name]
    if name not in subworkflows:
        known = ", ".join(f"${{{each}}}" for each in (*PREDICATES, *sorted(subworkflows)))
        raise Refused(f"{where}: predicate: {raw!r}; accepted: {known}")
    return name
