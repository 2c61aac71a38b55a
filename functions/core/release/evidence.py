"""Evidence: how much better one hypothesis about a rate explains outcomes than another, whenever one looks.

An outcome is 0, 1 or between them, and its hypothesis bounds what it is on average, given all before it.
Evidence is what a bet of 1 against the hypothesis has become. Where the hypothesis holds, it ever
reaches 1/risk with a probability of at most risk, however often one looks (Ville's inequality). The bet
is spread evenly over the rates of the alternative. For outcomes between 0 and 1 it wins no more than
the fair bet, since a^x b^(1-x) <= a x + b (1-x).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from functions.core.runtime.beta_integral import log_integral_above, log_integral_below

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 1e6
"""Evidence is not counted beyond."""
_STAKES = tuple(0.98 * 0.8**step for step in range(20))
"""Which parts of a bet are staked against a loss, as much on each: down to 1.4 %."""


def evidence_above(total: float, count: float, allowed: float) -> float:
    """Return the evidence that a rate is above `allowed`, from `count` outcomes that come to `total`."""
    if not count or allowed >= 1:
        return 1.0
    if allowed <= 0:
        return 1.0 if total <= 0 else MOST
    rest = count - total
    won = log_integral_above(total, rest, allowed) - math.log1p(-allowed)
    return _bounded(won - total * math.log(allowed) - rest * math.log1p(-allowed))


def evidence_below(total: float, count: int, allowed: float, unacceptable: float) -> float:
    """Return the evidence that a rate is below `unacceptable`, by a bet on the rates up to `allowed`."""
    if not count or unacceptable <= allowed:
        return 1.0
    rest = count - total
    if allowed <= 0:
        won = 0.0 if total <= 0 else -math.inf
    else:
        won = log_integral_below(total, rest, allowed) - math.log(allowed)
    return _bounded(won - total * math.log(unacceptable) - rest * math.log1p(-unacceptable))


def shown_at_most(total: float, count: int, allowed: float, risk: float) -> float:
    """Return the rate below which the outcomes show theirs to be with this risk, at any look: from `allowed` to 1."""
    low = max(allowed, total / count if count else 1.0)
    if low >= 1:
        return 1.0
    return _least(lambda rate: evidence_below(total, count, allowed, rate), low, risk)


def evidence_of_less_loss(worse: float, better: float, count: int, unacceptable: float) -> float:
    """Return the evidence that less is lost than `unacceptable`, on average over `count` outcomes from -1 to 1.

    `worse` is the sum of those above 0, `better` of those below, without its sign. Where the average is
    unacceptable, a stake s wins at most 1 on average: by an outcome x it becomes 1 + s (m - x) / (1 - m).
    """
    if not count:
        return 1.0
    even = count - worse - better
    won = [
        worse * math.log1p(-stake)
        + better * math.log1p(stake * (1 + unacceptable) / (1 - unacceptable))
        + even * math.log1p(stake * unacceptable / (1 - unacceptable))
        for stake in _STAKES
    ]
    most = max(won)
    return _bounded(most + math.log(math.fsum(math.exp(one - most) for one in won) / len(won)))


def loss_shown_at_most(worse: float, better: float, count: int, risk: float) -> float:
    """Return the loss below which the outcomes show theirs to be with this risk, at any look: from 0 to 1."""
    return _least(lambda loss: evidence_of_less_loss(worse, better, count, loss), 0.0, risk)


def _least(evidence: Callable[[float], float], low: float, risk: float) -> float:
    """Return the least rate, from `low` to 1, for which evidence that grows with it is enough at this risk."""
    high = 1.0
    for _ in range(40):
        middle = (low + high) / 2
        if middle >= 1 or evidence(middle) >= 1 / risk:
            high = middle
        else:
            low = middle
    return high


def _bounded(logarithm: float) -> float:
    return MOST if logarithm >= math.log(MOST) else math.exp(logarithm)
