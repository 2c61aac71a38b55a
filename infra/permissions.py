"""Who may touch what: each function's grants, no wider than its row in the table says.

Every key has a model's name, where `interface.layout.below` says, so every grant names the models it is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infra.function_spec import FunctionSpec, Needs, StoreName
from infra.keys import Access, keys_of
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
    spec: FunctionSpec,
    stores: Stores,
    models: Iterable[str],
    *,
    every_model: bool = False,
) -> tuple[Grant, ...]:
    """Return what one function may do with objects of `models`.

    With `every_model` the stack has no other models than these. The order of models, rows and prefixes
    makes no difference: what means the same is called the same.
    """
    return tuple(_grants(spec.needs, stores, models, every_model=every_model))


def merged(needs: Iterable[Needs]) -> dict[tuple[StoreName, Access], tuple[str, ...]]:
    """Return the prefixes that needs name, by store and access: several rows of one kind are one permission."""
    prefixes: dict[tuple[StoreName, Access], set[str]] = {}
    for need in needs:
        prefixes.setdefault((need.store, need.access), set()).update(need.prefixes)
    return {kind: tuple(sorted(names)) for kind, names in sorted(prefixes.items())}


def _grants(needs: Iterable[Needs], stores: Stores, models: Iterable[str], *, every_model: bool) -> Iterator[Grant]:
    if not (names := tuple(models)):
        return
    for (store, access), prefixes in merged(needs).items():
        yield Grant(
            name=f"{access}-{store}",
            store=stores.named(store),
            access=access,
            keys=keys_of(names, prefixes),
            every_model=every_model,
        )
