"""Successive halving: every experiment on a part of the rows, the best third of them on three times as many, and so on.

https://arxiv.org/abs/1502.07943. The factor is three, as in scikit-learn: of 81 experiments 27 and then 9 go on, with a
ninth, a third and all of the rows, which comes to 27 whole experiments.
"""

from __future__ import annotations

import math

FACTOR = 3
"""How many experiments one goes on of, and by how much its rows grow."""
MOST_ROUNDS = 3
FINALISTS = 3
"""The least number that sees all rows, where there are so many: the file of the best may not answer as it does."""
ROUNDS = tuple(FACTOR**-left for left in range(MOST_ROUNDS - 1, -1, -1))
"""The share of the rows that each round trains on, where a table has enough of them."""


def kept(experiments: int) -> int:
    """Return how many experiments of a round go on."""
    return min(experiments, max(FINALISTS, math.ceil(experiments / FACTOR)))


def whole_experiments(experiments: int) -> float:
    """Return to how many experiments on all rows a search comes that begins with so many, of a table with enough rows.

    So few that all of them see all rows have one round.
    """
    work = 0.0
    for share in ROUNDS if experiments > FINALISTS else (1.0,):
        work += experiments * share
        experiments = kept(experiments)
    return work
