"""Who may touch what: each function's grants, no wider than its row in the table says.

A model's name is the first segment of every key, so every grant names the models it is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.function_table import FunctionSpec, Needs, StoreName
from infra.vocabulary import Grant, Store


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The stores of a stack."""

    code: Store
    data: Store
    models: Store
    jobs: Store
    captures: Store

    def named(self, name: StoreName) -> Store:
        """Return the store of that name in the table."""
        return {"data": self.data, "models": self.models, "jobs": self.jobs, "captures": self.captures}[name]


def grants(
    spec: FunctionSpec, stores: Stores, models: Sequence[str], elsewhere: Sequence[str] = ()
) -> tuple[Grant, ...]:
    """Return what one function may do with objects of `models`, and of `elsewhere`, which other functions serve."""
    own = tuple(_grant(needs, stores, models) for needs in spec.needs)
    return own + (tuple(_grant(needs, stores, elsewhere) for needs in spec.needs_elsewhere) if elsewhere else ())


def below(models: Sequence[str], prefixes: Sequence[str]) -> tuple[str, ...]:
    """Return each prefix below each model's name: `<model>/<prefix>`."""
    return tuple(f"{model}/{prefix}" for model in models for prefix in prefixes)


def _grant(needs: Needs, stores: Stores, models: Sequence[str]) -> Grant:
    return Grant(store=stores.named(needs.store), access=needs.access, prefixes=below(models, needs.prefixes))
