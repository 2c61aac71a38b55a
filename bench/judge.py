"""`python -m bench.judge [--rollouts N] [--requests N] [--write]`: how often the judge of releases is wrong.

Rollouts are simulated with rates that are known, and judged by the evidence that the rollout function
computes, with its own code. Every figure of the tables in docs/releases.md is of this command.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from bench import judge_truth
from bench.environments import ROOT
from functions.core.release.evidence import evidence_above, evidence_below
from functions.core.release.outcomes import Outcomes
from functions.core.release.weighing import Question, weigh
from models.section import Risk, RolloutThresholds

PAGE = ROOT / "docs" / "releases.md"
LOOKS = (1, 500)
"""After how many requests the judge looks again."""
BURST = 10
"""Requests of a caller's minute, where they come in bursts."""
STEPS = 3
ALLOWED = (0.01, 0.1, 0.5)
"""Errors, disagreement and slow requests that a contract's defaults allow."""
UNACCEPTABLE = tuple(round(3 * rate / (1 + 2 * rate), 6) for rate in ALLOWED)


@dataclass(frozen=True, kw_only=True)
class Case:
    """Rollouts of challengers with these rates of errors, of requests answered otherwise, and of slow ones."""

    name: str
    rates: tuple[float, float, float]
    wrong: str = ""
    """The end of a release that would be wrong: withdrawn or promoted; empty where neither is."""
    correlation: float = 0.0
    """Of the outcomes of one burst: 0 where there are none."""
    by_burst: bool = False
    """Whether a burst is one outcome, as with `unit: caller_minute`."""


GOOD = (0.002, 0.05, 0.05)
CASES = (
    Case(name="0.2 % errors, agreement 0.95", rates=GOOD, wrong="withdrawn"),
    Case(name="1 % errors, agreement 0.95", rates=(0.01, 0.05, 0.05), wrong="withdrawn"),
    Case(name="all as bad as allowed: 1 %, 0.9, half slow", rates=ALLOWED, wrong="withdrawn"),
    Case(name="2 % errors", rates=(0.02, 0.05, 0.05)),
    Case(name="2.94 % errors", rates=(UNACCEPTABLE[0], 0.05, 0.05), wrong="promoted"),
    Case(name="5 % errors", rates=(0.05, 0.05, 0.05), wrong="promoted"),
    Case(name="10 % errors", rates=(0.1, 0.05, 0.05), wrong="promoted"),
    Case(name="agreement 0.85", rates=(0.002, 0.15, 0.05)),
    Case(name="agreement 0.75", rates=(0.002, UNACCEPTABLE[1], 0.05), wrong="promoted"),
    Case(name="three quarters slow", rates=(0.002, 0.05, UNACCEPTABLE[2]), wrong="promoted"),
)
BURSTS = tuple(
    Case(name=f"{name}, {unit}", rates=rates, wrong=wrong, correlation=0.05, by_burst=unit == "by minute")
    for name, rates, wrong in (
        ("all as bad as allowed", ALLOWED, "withdrawn"),
        ("2.94 % errors", (UNACCEPTABLE[0], 0.05, 0.05), "promoted"),
        ("20 % errors", (0.2, 0.05, 0.05), "promoted"),
    )
    for unit in ("by request", "by minute")
)


@dataclass(frozen=True, kw_only=True)
class Ends:
    """How simulated releases ended: by the look at which they did."""

    rollouts: int
    withdrawn: int
    promoted: int
    requests: float
    """Median until the release was ended by evidence; infinite where most were not."""

    def share(self, end: str) -> float:
        return getattr(self, end) / self.rollouts

    def at_most(self, end: str) -> float:
        """Return below which rate the one of this end is, by Clopper and Pearson, with 95 % confidence."""
        count = getattr(self, end)
        return float(stats.beta.ppf(0.95, count + 1, self.rollouts - count)) if count < self.rollouts else 1.0


class Evidence:
    """The evidence of one question, by its outcomes: each is computed once."""

    def __init__(self, question: Question) -> None:
        self._above = cache(lambda total, count: evidence_above(total, count, question.allowed))
        self._below = cache(lambda total, count: evidence_below(total, count, question.allowed, question.unacceptable))

    def of(self, totals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the evidence against and for, of totals after 1, 2, ... outcomes, of shape [rollouts, outcomes]."""
        against, in_favour = np.empty(totals.shape), np.empty(totals.shape)
        for at in range(totals.shape[1]):
            found, places = np.unique(totals[:, at], return_inverse=True)
            against[:, at] = np.array([self._above(float(total), at + 1) for total in found])[places]
            in_favour[:, at] = np.array([self._below(float(total), at + 1) for total in found])[places]
        return against, in_favour


EVIDENCE = tuple(Evidence(question) for question in weigh(Outcomes(since=0, until=0), RolloutThresholds()).questions)
ENOUGH = weigh(Outcomes(since=0, until=0), RolloutThresholds()).enough_against


def outcomes(case: Case, rate: float, shape: tuple[int, int], chance: np.random.Generator) -> np.ndarray:
    """Return outcomes of shape [rollouts, outcomes]: 0 and 1, or the means of bursts."""
    if not case.correlation:
        return (chance.random(shape) < rate).astype(float)
    spread = 1 / case.correlation - 1
    bursts = chance.beta(rate * spread, (1 - rate) * spread, (shape[0], -(-shape[1] // BURST)))
    drawn = chance.random((*bursts.shape, BURST)) < bursts[..., None]
    if case.by_burst:
        return np.round(drawn.mean(axis=2), 6)
    return drawn.reshape(shape[0], -1)[:, : shape[1]].astype(float)


def simulate(
    case: Case, *, rollouts: int, requests: int, looks: Sequence[int] = LOOKS, steps: int = STEPS
) -> dict[int, Ends]:
    """Return how releases of equal steps end, by how many requests lie between two looks. The last step promotes."""
    chance = np.random.default_rng(0)
    weighed = []
    for rate, evidence in zip(case.rates, EVIDENCE, strict=True):
        drawn = outcomes(case, rate, (rollouts, requests), chance)
        weighed.append(evidence.of(np.round(np.cumsum(drawn, axis=1), 6)))
    against = np.mean([one[0] for one in weighed], axis=0)
    in_favour = np.min([one[1] for one in weighed], axis=0)
    in_favour[:, : in_favour.shape[1] * (steps - 1) // steps] = 0
    size = BURST if case.by_burst else 1
    return {every: _ended(against, in_favour, max(1, every // size), size) for every in looks if every <= requests}


def _ended(against: np.ndarray, in_favour: np.ndarray, every: int, size: int) -> Ends:
    """Return the ends of releases that are looked at after every so many outcomes, of `size` requests each."""
    looks = np.arange(every - 1, against.shape[1], every)
    bad, good = (_first(found[:, looks] >= ENOUGH) for found in (against, in_favour))
    ended = np.minimum(bad, good)
    median = float(np.median(np.where(ended < len(looks), (ended + 1) * every * size, np.inf)))
    withdrawn = int(np.sum((bad < len(looks)) & (bad <= good)))
    return Ends(rollouts=len(bad), withdrawn=withdrawn, promoted=int(np.sum(good < bad)), requests=median)


def _first(found: np.ndarray) -> np.ndarray:
    """Return the position of the first True of each row; the length of a row where there is none."""
    return np.where(found.any(axis=1), found.argmax(axis=1), found.shape[1])


def ever_wrong(question: Question, *, against: bool, requests: int) -> float:
    """Return how probable it is, exactly, that one question is ever answered wrongly, looked at after every request.

    Against a challenger whose rate is as allowed; for one whose rate is unacceptable.
    """
    rate = question.allowed if against else question.unacceptable
    going, wrong = np.ones(1), 0.0
    bound = 0 if against else -1
    for count in range(1, requests + 1):
        going = np.append(going * (1 - rate), 0.0) + np.append(0.0, going * rate)
        if against:
            while bound <= count and evidence_above(bound, count, question.allowed) < ENOUGH:
                bound += 1
            reached = slice(bound, None)
        else:
            while evidence_below(bound + 1, count, question.allowed, question.unacceptable) >= ENOUGH:
                bound += 1
            reached = slice(0, bound + 1)
        wrong += float(going[reached].sum())
        going[reached] = 0.0
    return wrong


def exact(requests: int) -> Iterator[str]:
    """Yield the lines of the table of single questions, which needs no simulation."""
    yield "| one question alone | allowed | ever shown to be bad | unacceptable | ever shown to be good | stated |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for question in weigh(Outcomes(since=0, until=0), RolloutThresholds()).questions:
        bad, good = (ever_wrong(question, against=against, requests=requests) for against in (True, False))
        bounds = (f"{rate * 100:.3g} %" for rate in (question.allowed, question.unacceptable))
        name = {"errors": "errors", "agreement": "answers otherwise", "latency": "slow requests"}[question.about]
        yield f"| {name} | {next(bounds)} | {bad * 100:.1f} % | {next(bounds)} | {good * 100:.1f} % | at most 5 % |"


def wrong_ends(cases: Sequence[Case], *, rollouts: int, requests: int) -> Iterator[str]:
    """Yield the lines of the table of simulated releases."""
    yield "| the challenger, in truth | look after every | withdrawn | promoted | neither | stated | median requests |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for case in cases:
        for every, ends in simulate(case, rollouts=rollouts, requests=requests).items():
            stated = f"{case.wrong} at most 5 %" if case.wrong else ""
            shares = [ends.share("withdrawn"), ends.share("promoted")]
            shown = " | ".join(f"{share * 100:.1f} %" for share in (*shares, 1 - sum(shares)))
            median = f"{ends.requests:,.0f}" if np.isfinite(ends.requests) else "-"
            yield f"| {case.name} | {every} | {shown} | {stated} | {median} |"


def needed(errors: float, odds: float = 3.0, risk: float = 0.05) -> tuple[float, int, int]:
    """Return the unacceptable rate, and how many requests show that errors are fewer: of none, and of `errors`."""
    rules = RolloutThresholds(maximum_error_rate=errors, risk=Risk(unacceptable_odds=odds, promote_bad=risk))
    unacceptable = weigh(Outcomes(since=0, until=0), rules).questions[0].unacceptable

    def enough(rate: float) -> int:
        few, many = 0, 1
        while evidence_below(rate * many, many, errors, unacceptable) < 1 / risk:
            few, many = many, many * 2
        while many - few > 1:
            middle = (few + many) // 2
            shows = evidence_below(rate * middle, middle, errors, unacceptable) >= 1 / risk
            few, many = (few, middle) if shows else (middle, many)
        return many

    return unacceptable, enough(0.0), enough(errors)


def requests_needed() -> Iterator[str]:
    """Yield the lines of the table of how many requests a proof takes."""
    yield "| errors allowed | `unacceptable_odds` | `promote_bad` | unacceptable | none fails | as many as allowed |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for errors, odds, risk in (
        (0.01, 3, 0.05),
        (0.01, 3, 0.2),
        (0.01, 2, 0.05),
        (0.01, 10, 0.05),
        (0.001, 3, 0.05),
        (0.001, 10, 0.05),
        (0.05, 3, 0.05),
        (0.1, 3, 0.05),
    ):
        bound, clean, allowed = needed(errors, odds, risk)
        yield f"| {errors:g} | {odds} | {risk:g} | {bound * 100:.3g} % | {clean:,} | {allowed:,} |"


def tables(*, rollouts: int, requests: int) -> dict[str, list[str]]:
    """Return the tables of docs/releases.md, by the name that the page gives them."""
    return {
        "exact": list(exact(requests)),
        "rates": list(wrong_ends(CASES, rollouts=rollouts, requests=requests)),
        "bursts": list(wrong_ends(BURSTS, rollouts=rollouts, requests=requests)),
        "needed": list(requests_needed()),
        "truth": list(judge_truth.wrong_ends(judge_truth.CASES, rollouts=rollouts, requests=requests)),
        "truth-bursts": list(judge_truth.wrong_ends(judge_truth.BURSTS, rollouts=rollouts, requests=requests)),
        "truth-needed": list(judge_truth.pairs_needed()),
    }


def written(page: str, name: str, lines: Sequence[str], of: str = "bench.judge") -> str:
    """Return a page with the lines of a table between its marks. Raise `ValueError` where it has no such marks.

    `of` is the module whose tables they are.
    """
    begin, end = f"<!-- {of}: {name} -->", "<!-- end -->"
    marked = re.compile(f"({re.escape(begin)}\n).*?({re.escape(end)})", re.DOTALL)
    if not marked.search(page):
        raise ValueError(f"no line {begin} with {end} after it")
    return marked.sub(lambda found: f"{found[1]}{chr(10).join(lines)}\n{found[2]}", page)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; with `--write` put them into docs/releases.md."""
    parser = argparse.ArgumentParser(prog="python -m bench.judge", description=__doc__)
    parser.add_argument("--rollouts", type=int, default=2_000, help="simulated releases of each kind")
    parser.add_argument("--requests", type=int, default=1_500, help="requests of a release, in three equal steps")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/releases.md")
    options = parser.parse_args(arguments)
    page = PAGE.read_text(encoding="utf-8")
    for name, lines in tables(rollouts=options.rollouts, requests=options.requests).items():
        print("\n".join(lines), end="\n\n")
        page = written(page, name, lines)
    if options.write:
        PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
