"""`python -m bench.nightly WORKSPACE CAPTURES`: the nightly call of `watch` for a day of captures, in this process.

The objects of the day are one file, read again for each, so that their memory is no part of what is measured; what
the call writes is held in memory. What a network adds is not: 64 objects are on their way while others are read.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from functions.core.dataset.profile import describe
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.runtime.environment import Environment
from functions.core.storage.objects import Objects, canonical
from functions.core.storage.store_url import open_store
from functions.core.watching.watch import watch
from interface import layout, variables
from models.breast_cancer.sample import instances
from models.contract import Contract

MODEL, VERSION, DAY = "breast_cancer", "0" * 16, "2026-11-24"
NIGHT = datetime(2026, 11, 25, 0, 50, tzinfo=UTC)
A_SECOND = 12
"""Captures of a second, which one copy of the function writes as one object: a million a day."""


class Day(Objects):
    """A store in which a day of captures is, and what is written besides."""

    def __init__(self, folder: Path, objects: int) -> None:
        super().__init__(Objects.in_memory()._store)
        self._file = open_store(f"file://{folder}")
        self._left = {f"{MODEL}/{DAY}/{at % 24:02}/{at:06}.jsonl" for at in range(objects)}

    def folders(self, prefix: str) -> list[str]:
        return [DAY] if prefix == f"{MODEL}/" and self._left else super().folders(prefix)

    def keys(self, prefix: str, *, after: str | None = None) -> Iterator[str]:
        if prefix.startswith(f"{MODEL}/{DAY}/"):
            return iter([key for key in self._left if key.startswith(prefix)])
        return super().keys(prefix, after=after)

    def find(self, key: str) -> bytes | None:
        return self._file.find("second.jsonl") if key in self._left else super().find(key)

    def remove(self, keys: Sequence[str]) -> None:
        self._left -= set(keys)
        super().remove([key for key in keys if f"/{DAY}/" not in key])


class Stores(Environment):
    """The stores of the call."""

    def __init__(self, captures: Day) -> None:
        super().__init__({variables.MODELS: MODEL, variables.CAPTURE_DAYS: "30"})
        self.models, self.captures, self.data = Objects.in_memory(), captures, Objects.in_memory()

    def store(self, name: str, *, patience_seconds: float = 20) -> Objects:
        del patience_seconds
        return {
            variables.MODELS_URL: self.models,
            variables.CAPTURES_URL: self.captures,
            variables.DATA_URL: self.data,
        }[name]


def main(workspace: Path, captures: int) -> None:
    """Print what the call took, as a line of JSON."""
    (workspace / "second.jsonl").write_bytes(b"\n".join(_records()))
    environment = Stores(Day(workspace, captures // A_SECOND))
    _register(environment.models)
    call = watch(environment, now=lambda: NIGHT)
    began, worked = time.perf_counter(), time.process_time()
    answer = call.run({}, None)
    worked, passed = time.process_time() - worked, time.perf_counter() - began
    size = sum(entry.size for entry in environment.captures.entries(f"{MODEL}/files"))
    check = environment.models.get_json(f"{MODEL}/{layout.WATCH}{DAY}.json")
    if check["window"]["rows"] != captures // A_SECOND * A_SECOND:
        raise RuntimeError(f"{check['window']} of {captures} captures were checked")
    found = {
        "seconds": passed,
        "cpu_seconds": worked,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "mib": size / 2**20,
        **answer,
    }
    print(json.dumps(found))


def _records() -> Iterator[bytes]:
    names = [feature.name for feature in Contract.load(MODEL).features]
    for at, row in enumerate(instances()[0][:A_SECOND]):
        yield canonical(
            {
                "time": 1_795_500_000.123 + at / 16,
                "request": f"JKJaXmPLvHcESHA{at:02}=",
                "caller": f"{at:016x}",
                "model": MODEL,
                "version": VERSION,
                "variant": "champion",
                "status": 200,
                "ms": 0.043 + at / 1000,
                "rows": 1,
                "answered_by": VERSION,
                "inputs": [[float(np.float32(row[name])) for name in names]],
                "outputs": [[0.9876543, 0.0123457]],
            }
        )


def _register(models: Objects) -> None:
    contract = Contract.load(MODEL)
    x = np.array([list(instance.values()) for instance in instances()[0]], dtype=np.float32)
    folder = f"{MODEL}/{layout.VERSIONS}{VERSION}"
    card = {
        "task": contract.task,
        "features": [one.document() for one in contract.features],
        "target": {"classes": ["benign", "malignant"]},
        "outputs": {"label": "label", "probabilities": "probabilities"},
    }
    features = {one.name: describe(one, x[:, at]) for at, one in enumerate(contract.features)}
    models.put_json(f"{folder}/card.json", card)
    models.put_json(f"{folder}/profile.json", {"features": features})
    Live(models, MODEL).change(lambda pointer: promote_first(pointer, VERSION, "run", 0.0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
