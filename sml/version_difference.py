"""What differs between two versions, in words: from the card of each, and the record of the run that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.registry.versions import features_of
from models.decided import decides
from sml.sentences import ends, interval, origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from models.feature import Feature

Facts = dict[str, Any]
DIGESTS = {"dataset": "data", "code": "training code", "contract": "model.yaml", "lock": "locked packages"}
"""What is known of a run by a digest alone: that it is another one."""
TOLD = frozenset(
    {
        "version",
        "model",
        "format",
        "sha256",
        "params",
        "metrics",
        "features",
        "target",
        "libraries",
        "usage",
        "origin",
        "threshold",
        "decision",
        "interval",
    }
)
"""Parts of a card that are told otherwise, or say nothing to people."""
EPSILON = 1e-12


def differences(cards: list[Facts], runs: list[Facts]) -> list[Facts]:
    """Return a row for each thing that differs: its name, and how it is in the `one` and in the `other` version."""
    one, other = (dict(_facts(card, run)) for card, run in zip(cards, runs, strict=True))
    names = list(dict.fromkeys([*one, *other]))
    kinds = list(dict.fromkeys(map(_kind, names)))
    rows = [
        {"": name, "one": one.get(name), "other": other.get(name)}
        for name in sorted(names, key=lambda name: kinds.index(_kind(name)))
        if not _alike(one.get(name), other.get(name))
    ]
    others = [
        {"": name, "one": "", "other": "another"}
        for key, name in DIGESTS.items()
        if (digests := [run.get(key) or card.get(key) for card, run in zip(cards, runs, strict=True)])
        and all(digests)
        and digests[0] != digests[1]
    ]
    return [*rows, *others]


def _kind(name: str) -> str:
    return name.partition(" ")[0]


def _facts(card: Facts, run: Facts) -> Iterator[tuple[str, Any]]:
    yield "trained (UTC)", str(card.get("created") or "")[:19].replace("T", " ")
    yield "run", card.get("run")
    yield "came from", origin(card["origin"]) if _object(card.get("origin")) else None
    for name, key in (("from", "source"), ("rows", "rows"), ("rejected rows", "rejected_rows")):
        yield name, run.get(key)
    metrics = _object(card.get("metrics"))
    for metric, value in _object(metrics.get("holdout")).items():
        yield f"holdout {metric}", value
    for metric in _object(metrics.get("holdout_intervals")):
        yield f"holdout {metric}, 95 %", ends(metrics, metric)
    yield "decides", decides(card["decision"]) if card.get("decision") else card.get("threshold")
    yield "interval", interval(card["interval"]) if card.get("interval") else None
    for metric, value in _object(metrics.get("cross_validation")).items():
        yield f"cross-validated {metric}", _object(value).get("mean")
    for name, value in _object(card.get("params")).items():
        yield f"parameter {name}", value
    for feature in _features(card):
        yield f"feature {feature.name}", _words(feature)
    target = _object(card.get("target"))
    yield "target", target.get("column") or target.get("name")
    yield "classes", target.get("classes")
    yield "unit", target.get("unit")
    usage = _object(card.get("usage"))
    yield "used for it, seconds", usage.get("seconds")
    yield "used for it, USD", usage.get("usd")
    for package, version in _object(card.get("libraries")).items():
        yield f"package {package}", version
    for name, value in card.items():
        if name not in TOLD and name not in DIGESTS and name not in ("created", "run"):
            yield name, value


def _features(card: Facts) -> tuple[Feature, ...]:
    try:
        return features_of(card)
    except (LookupError, TypeError, ValueError):
        return ()


def _words(feature: Feature) -> str:
    becomes = "".join(f", as {', '.join(parts)}" for parts in [_parts(feature)] if parts)
    missing = {"reject": "a row without it is refused", "keep": "may be missing"}
    return f"{feature.accepts}{becomes}; {missing.get(str(feature.missing), f'{feature.missing} where it is missing')}"


def _parts(feature: Feature) -> list[str]:
    """Return what a value becomes, where it is not a number by itself."""
    since = [f"days since {feature.since}"] if feature.since else []
    counts = [f"{feature.words} counts of words"] if feature.words else []
    known = [f"{len(feature.categories)} categories, or another"] if feature.unseen == "other" else []
    parts = [f"sine and cosine of {part}" if feature.cyclic and part != "year" else part for part in feature.parts]
    return [*known, *parts, *since, *counts]


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= EPSILON
    return one == other


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
