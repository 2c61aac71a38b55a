"""Who may touch what: each function's grants, no wider than its code needs.

A model's name is the first segment of every key, so every grant names the models it is for.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.vocabulary import Access, Grant, Store

AGAIN = "in/.again/"
"""Where a job that goes on is announced anew: the one place that a function writes to and is called about."""
SIGNERS = frozenset({"predict"})
"""Functions that hand out signed URLs: an upload is taken, and a result given, by way of the store."""


@dataclass(frozen=True, kw_only=True)
class Stores:
    code: Store
    data: Store
    models: Store
    jobs: Store
    captures: Store


def grants(models: tuple[str, ...], stores: Stores, elsewhere: tuple[str, ...] = ()) -> dict[str, tuple[Grant, ...]]:
    """The grants of every function, by its entry; of models `elsewhere`, predict tells only whether they are live."""

    def read(store: Store, *places: str, of: tuple[str, ...] = models) -> Grant:
        return Grant(store=store, access=Access.READ, prefixes=below(of, places))

    def write(store: Store, *places: str) -> Grant:
        return Grant(store=store, access=Access.WRITE, prefixes=below(models, places))

    data, registry, jobs, captures = stores.data, stores.models, stores.jobs, stores.captures
    return {
        "prepare": (
            read(data, "incoming/", "datasets/"),
            write(data, "datasets/"),
            read(registry, "runs/", "versions/", "executions/"),
            write(registry, "runs/", "executions/"),
        ),
        "train": (read(data, "datasets/"), read(registry, "runs/"), write(registry, "runs/")),
        "select": (
            read(data, "datasets/"),
            read(registry, "runs/", "versions/", "live.json"),
            write(registry, "runs/", "versions/"),
        ),
        "rollout": (
            read(registry, "runs/", "versions/", "executions/", "live.json"),
            write(registry, "runs/", "executions/", "live.json"),
            read(captures, ""),
        ),
        "predict": (
            read(registry, "versions/", "live.json"),
            write(captures, ""),
            read(jobs, "in/", "out/", "work/", "tickets/", "dead/"),
            write(jobs, "in/", "tickets/"),
            *((read(registry, "live.json", of=elsewhere),) if elsewhere else ()),
        ),
        "jobs": (
            read(registry, "versions/", "live.json"),
            read(jobs, "in/", "out/", "work/"),
            write(jobs, "out/", "work/", "dead/", AGAIN),
        ),
    }


def below(models: tuple[str, ...], places: tuple[str, ...]) -> tuple[str, ...]:
    """Each place below each model's name."""
    return tuple(f"{model}/{place}" for model in models for place in places)
