"""Who may touch what: each function's grants, no wider than its row in the table says.

A model's name is the first segment of every key, so every grant names the models it is for, and where it is for all of
a stack but some, these too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from infra.function_table import FunctionSpec, Needs, StoreName
from infra.keys import Access, keys_of
from infra.vocabulary import Grant, Store
from interface import layout


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
    elsewhere: Iterable[str] = (),
    *,
    others: Iterable[str] | None = None,
) -> tuple[Grant, ...]:
    """Return what one function may do with objects of `models`, and of `elsewhere`, which other functions serve.

    With `others` the stack has no more models than `models` and these. The order of models, rows and prefixes
    makes no difference: what means the same is called the same.
    """
    apart = None if others is None else tuple(others)
    own = tuple(_grants(spec.needs, stores, models, apart, refused(spec)))
    return own + tuple(_grants(spec.needs_elsewhere, stores, elsewhere, None, {}))


def merged(needs: Iterable[Needs]) -> dict[tuple[StoreName, Access], tuple[str, ...]]:
    """Return the prefixes that needs name, by store and access: several rows of one kind are one permission."""
    prefixes: dict[tuple[StoreName, Access], set[str]] = {}
    for need in needs:
        prefixes.setdefault((need.store, need.access), set()).update(need.prefixes)
    return {kind: tuple(sorted(names)) for kind, names in sorted(prefixes.items())}


def refused(spec: FunctionSpec) -> dict[tuple[StoreName, Access], tuple[str, ...]]:
    """Return the prefixes that a function must not have of models that others serve, by store and access.

    Everything of such a model, unless the row needs a part of it: then what the row needs of its own models alone.
    """
    allowed = merged(spec.needs_elsewhere)
    return {
        kind: tuple(prefix for prefix in prefixes if not prefix.startswith(allowed[kind]))
        if kind in allowed
        else ("", *(prefix for prefix in prefixes if not _within_its_folder(prefix)))
        for kind, prefixes in merged(spec.needs).items()
    }


def undeniable(spec: FunctionSpec) -> Iterator[str]:
    """Yield a sentence for each prefix of which a part is needed elsewhere: a Deny for the rest would deny the part."""
    own = merged(spec.needs)
    for kind, parts in merged(spec.needs_elsewhere).items():
        for part in parts:
            for prefix in own.get(kind, ()):
                if part != prefix and part.startswith(prefix):
                    yield (
                        f"needs_elsewhere: {part!r} lies below {prefix!r} of needs, the rest of which could not be"
                        f" denied; accepted: {prefix!r}, or a prefix beside it"
                    )


def _within_its_folder(prefix: str) -> bool:
    """Return whether what lies under a prefix lies in the model's own folder."""
    return layout.below("model", prefix).startswith(layout.below("model", ""))


def _grants(
    needs: Iterable[Needs],
    stores: Stores,
    models: Iterable[str],
    others: Sequence[str] | None,
    not_of_others: Mapping[tuple[StoreName, Access], tuple[str, ...]],
) -> Iterator[Grant]:
    if not (names := tuple(models)):
        return
    for (store, access), prefixes in merged(needs).items():
        yield Grant(
            name=f"{access}-{store}",
            store=stores.named(store),
            access=access,
            keys=keys_of(names, prefixes),
            others=None if others is None else keys_of(others, not_of_others[store, access]),
        )
