"""Simulated releases of a model whose truths come back: how often the judge is wrong with them.

`python -m bench.judge` writes its tables, too. Each request that both versions answered is answered otherwise with
some probability, and of those the challenger is the one that is wrong with another. The truth of a request comes so
many requests later, or never. What is decided is decided by the code of the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from functions.core.release.evidence import evidence_above, evidence_below, evidence_of_less_loss
from functions.core.release.outcomes import Outcomes
from functions.core.release.weighing import weigh
from models.labels import Labels
from models.section import Risk, RolloutThresholds

RULES = RolloutThresholds()
EXPECTED = Labels(horizon_minutes=1)
ENOUGH = 1 / RULES.risk.withdraw_good
UNACCEPTABLE = RULES.risk.unacceptable_loss
BURST = 10
STEPS = 3
LOOKS = (1, 500)


@dataclass(frozen=True, kw_only=True)
class TruthCase:
    """Releases of challengers that answer otherwise at a rate, and are then wrong at another."""

    name: str
    differs: float
    worse: float
    """Of the requests that are answered otherwise, the share of which the challenger alone is wrong."""
    wrong: str = ""
    """The end of a release that would be wrong: withdrawn or promoted; empty where neither is."""
    late: int = 0
    """Requests after which the truth of one comes."""
    told: float = 1.0
    """The share of the requests of which a truth comes at all."""
    correlation: float = 0.0
    """Of the outcomes of one burst: 0 where there are none."""
    by_burst: bool = False
    """Whether a burst is one outcome, as with `unit: caller_minute`."""

    @property
    def loss(self) -> float:
        return self.differs * (2 * self.worse - 1)


AS_BAD = "errors, agreement and latency as bad as allowed, no loss"
CASES = (
    TruthCase(name="agreement 0.95, as often right", differs=0.05, worse=0.5, wrong="withdrawn"),
    TruthCase(name=AS_BAD, differs=0.1, worse=0.5, wrong="withdrawn"),
    TruthCase(name=f"{AS_BAD}, truths 300 requests late", differs=0.1, worse=0.5, wrong="withdrawn", late=300),
    TruthCase(name="agreement 0.95, right where it differs", differs=0.05, worse=0.0, wrong="withdrawn"),
    TruthCase(name="agreement 0.7, right in 5 of 6 of these", differs=0.3, worse=1 / 6),
    TruthCase(
        name="agreement 0.7, right in 5 of 6 of these, truths 300 requests late",
        differs=0.3,
        worse=1 / 6,
        late=300,
    ),
    TruthCase(name="agreement 0.7, as often right", differs=0.3, worse=0.5, wrong="promoted"),
    TruthCase(name="loss 5 %, agreement 0.95", differs=0.05, worse=1.0, wrong="promoted"),
    TruthCase(name="loss 5 %, agreement 0.9", differs=0.1, worse=0.75, wrong="promoted"),
    TruthCase(
        name="loss 5 %, agreement 0.9, truths 300 requests late", differs=0.1, worse=0.75, wrong="promoted", late=300
    ),
    TruthCase(
        name="loss 5 %, agreement 0.9, a truth of every tenth", differs=0.1, worse=0.75, wrong="promoted", told=0.1
    ),
    TruthCase(name="loss 8 %, agreement 0.9", differs=0.1, worse=0.9, wrong="promoted"),
)
BURSTS = tuple(
    TruthCase(
        name=f"{name}, {unit}",
        differs=differs,
        worse=worse,
        wrong=wrong,
        correlation=0.05,
        by_burst=unit == "by minute",
    )
    for name, differs, worse, wrong in (
        (AS_BAD, 0.1, 0.5, "withdrawn"),
        ("loss 5 %, agreement 0.9", 0.1, 0.75, "promoted"),
        ("loss 30 %, agreement 0.6", 0.4, 0.875, "promoted"),
    )
    for unit in ("by request", "by minute")
)


@dataclass(frozen=True, kw_only=True)
class Sums:
    """Sums over the first outcomes of releases, each of shape [releases, outcomes]."""

    errors: np.ndarray
    slow: np.ndarray
    differs: np.ndarray
    labelled: np.ndarray
    worse: np.ndarray
    better: np.ndarray


def sums(case: TruthCase, *, rollouts: int, requests: int, chance: np.random.Generator) -> Sums:
    """Draw releases. Errors and slow requests are as bad as allowed where the case says so, else rare."""
    errors, slow = (0.01, 0.5) if case.name.startswith(AS_BAD) else (0.002, 0.05)
    shape = (rollouts, requests)

    def drawn(rate: float) -> np.ndarray:
        if not case.correlation:
            return chance.random(shape) < rate
        spread = 1 / case.correlation - 1
        bursts = chance.beta(max(rate, 1e-9) * spread, (1 - rate) * spread, (rollouts, -(-requests // BURST)))
        return chance.random(shape) < np.repeat(bursts, BURST, axis=1)[:, :requests]

    differs, is_worse, told = drawn(case.differs), drawn(case.worse), chance.random(shape) < case.told
    worse, better = differs & is_worse & told, differs & ~is_worse & told
    kinds = [drawn(errors), drawn(slow), differs, told, worse, better]
    if case.by_burst:
        return Sums(**dict(zip(Sums.__dataclass_fields__, map(_by_burst, kinds), strict=True)))
    delayed = [np.pad(one, ((0, 0), (case.late, 0)))[:, :requests] for one in kinds[3:]]
    summed = [np.cumsum(one, axis=1).astype(float) for one in (*kinds[:3], *delayed)]
    return Sums(**dict(zip(Sums.__dataclass_fields__, summed, strict=True)))


def _by_burst(found: np.ndarray) -> np.ndarray:
    """Return sums of the means of bursts. All truths of a burst come."""
    whole = found.shape[1] // BURST * BURST
    return np.round(np.cumsum(found[:, :whole].reshape(len(found), -1, BURST).mean(axis=2), axis=1), 6)


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """What the judge weighs after each outcome: of shape [releases, outcomes]."""

    against: np.ndarray
    rest: np.ndarray
    """Without what disagreement adds."""
    in_favour: np.ndarray


def weighed(found: Sums) -> Weighed:
    """Return the evidence by the judge's own code, each value of it computed once."""
    asked = np.broadcast_to(np.arange(1, found.errors.shape[1] + 1, dtype=float), found.errors.shape)
    questions = weigh(Outcomes(since=0, until=0), RULES, EXPECTED).questions
    above, below = [], []
    for question, totals in zip(questions, (found.errors, found.differs, found.slow), strict=False):
        allowed, bound = question.allowed, question.unacceptable
        above.append(_each(lambda total, n, allowed=allowed: evidence_above(total, n, allowed), totals, asked))
        below.append(_each(lambda total, n, a=allowed, b=bound: evidence_below(total, int(n), a, b), totals, asked))
    differing = found.worse + found.better
    against = _each(lambda total, n: evidence_above(total, n, 0.5), found.worse, differing)
    right = _each(lambda total, n: evidence_above(total, n, 0.5), found.better, differing)
    less = _each(
        lambda worse, better, n: evidence_of_less_loss(worse, better, n, UNACCEPTABLE),
        found.worse,
        found.better,
        found.labelled,
    )
    excused = np.where(right / 2 >= ENOUGH, np.minimum(above[1], 1.0), above[1])
    return Weighed(
        against=np.mean([above[0], excused, above[2], against], axis=0),
        rest=np.mean([above[0], np.minimum(above[1], 1.0), above[2], against], axis=0),
        in_favour=np.min([below[0], (below[1] + right) / 2, below[2], less], axis=0),
    )


def _each(evidence: Callable[..., float], *arrays: np.ndarray) -> np.ndarray:
    """Return the evidence of totals, each combination of them computed once."""
    keys, factor = np.zeros(arrays[0].size, dtype=np.int64), 1
    for one in arrays:
        whole = np.rint(one.ravel() * BURST).astype(np.int64)
        keys += whole * factor
        factor *= int(whole.max()) + 1
    _, first, places = np.unique(keys, return_index=True, return_inverse=True)
    values = np.array([evidence(*(float(one.flat[at]) for one in arrays)) for at in first.tolist()])
    return values[places.ravel()].reshape(arrays[0].shape)


def simulate(
    case: TruthCase, *, rollouts: int, requests: int, looks: Sequence[int] = LOOKS
) -> dict[int, tuple[float, float, float]]:
    """Return which shares of releases are withdrawn and promoted, and the median of requests, by how often one looks.

    A disputed release is withdrawn when all of its requests have come: its patience is over then.
    """
    found = weighed(sums(case, rollouts=rollouts, requests=requests, chance=np.random.default_rng(0)))
    size = BURST if case.by_burst else 1
    return {every: _ended(found, max(1, every // size), size) for every in looks if every <= requests}


def _ended(found: Weighed, every: int, size: int) -> tuple[float, float, float]:
    outcomes = found.against.shape[1]
    looks = np.arange(every - 1, outcomes, every)
    last_step = looks >= outcomes * (STEPS - 1) // STEPS
    bad = found.rest[:, looks] >= ENOUGH
    bad[:, -1] |= found.against[:, looks[-1]] >= ENOUGH
    disputed = found.against[:, looks] >= ENOUGH
    good = (found.in_favour[:, looks] >= ENOUGH) & last_step & ~disputed
    withdrawn, promoted = _first(bad), _first(good)
    ended = np.minimum(withdrawn, promoted)
    median = float(np.median(np.where(ended < len(looks), (ended + 1) * every * size, np.inf)))
    is_withdrawn = (withdrawn < len(looks)) & (withdrawn <= promoted)
    return float(np.mean(is_withdrawn)), float(np.mean((promoted < len(looks)) & ~is_withdrawn)), median


def _first(found: np.ndarray) -> np.ndarray:
    return np.where(found.any(axis=1), found.argmax(axis=1), found.shape[1])


def wrong_ends(cases: Sequence[TruthCase], *, rollouts: int, requests: int) -> Iterator[str]:
    """Yield the lines of the table of simulated releases."""
    yield "| the challenger, in truth | look after every | withdrawn | promoted | neither | stated | median requests |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for case in cases:
        for every, (bad, good, median) in simulate(case, rollouts=rollouts, requests=requests).items():
            stated = f"{case.wrong} at most 5 %" if case.wrong else ""
            shown = " | ".join(f"{abs(share) * 100:.1f} %" for share in (bad, good, 1 - bad - good))
            last = f"{median:,.0f}" if np.isfinite(median) else "-"
            yield f"| {case.name} | {every} | {shown} | {stated} | {last} |"


def pairs_needed() -> Iterator[str]:
    """Yield the lines of the table of how many labelled requests show that too much is not lost."""
    yield "| `unacceptable_loss` | `promote_bad` | agreement 1 | agreement 0.95 | agreement 0.9 | agreement 0.7 |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for bound, risk in ((0.05, 0.05), (0.05, 0.2), (0.02, 0.05), (0.1, 0.05)):
        rules = Risk(unacceptable_loss=bound, promote_bad=risk)
        shown = " | ".join(f"{_needed(differs, rules):,}" for differs in (0.0, 0.05, 0.1, 0.3))
        yield f"| {bound:g} | {risk:g} | {shown} |"


def _needed(differs: float, rules: Risk) -> int:
    """Return how many labelled requests show it, of which a share is answered otherwise, and half of these rightly."""
    few, many = 0, 1

    def shows(count: int) -> bool:
        half = differs * count / 2
        return evidence_of_less_loss(half, half, count, rules.unacceptable_loss) >= 1 / rules.promote_bad

    while not shows(many):
        few, many = many, many * 2
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if shows(middle) else (middle, many)
    return many
