"""`python -m tests.changes.one_by_one`: models come and go on GCP, one at a time, by the real Pulumi CLI.

Each policy is kept as Google keeps it, as a set: what two resources bind is gone once either is deleted. After every
single creation and deletion it is looked at whether a model that stays has lost anything.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from localcloud.cli.installation import install
from localcloud.cli.provider import EveryType, Symbols, serve
from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler
from tests.engine.interpreters import Interpreters
from tests.engine.interpreters import names as paths
from tests.engine.project import Project
from tests.root import ROOT

STACK, FIRST = "gcp-dev", "breast_cancer"
TYPE = "gcp:storage/bucketIAMMember:BucketIAMMember"


class Policies(Symbols):
    """Symbols in place of a cloud, and the policies of its buckets as sets."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: set[str] = set()
        self.wanted: dict[str, str] = {}
        """By the logical name of a binding that stays, what it means."""
        self.staying: tuple[str, ...] = ()
        """How the names of the bindings of the models that stay end."""
        self.lost: set[str] = set()
        self.handlers: Mapping[str, ResourceHandler] = _Watched(self)

    def enter(self, name: str, inputs: Mapping[str, Any]) -> None:
        """Add an entry, which changes nothing where it is there."""
        with self._lock:
            self.wanted[name] = _meaning(inputs)
            self._entries.add(self.wanted[name])

    def remove(self, name: str, inputs: Mapping[str, Any]) -> None:
        """Take an entry away, whatever number of resources stood for it, and note what is missing then."""
        with self._lock:
            self._entries.discard(_meaning(inputs))
            if self.wanted.get(name) == _meaning(inputs):
                del self.wanted[name]
            self.lost |= {
                one for one, what in self.wanted.items() if what not in self._entries and one.endswith(self.staying)
            }


class _Watched(EveryType):
    """The handlers of symbols, of which that of bindings tells the policies."""

    def __init__(self, policies: Policies) -> None:
        super().__init__()
        plain = self[TYPE]

        def create(order: Order) -> Registered:
            policies.enter(order.declared.name, order.inputs)
            return plain.create(order)

        def delete(_session: object, resource: Resource) -> None:
            policies.remove(resource.declared.name, resource.inputs)

        self[TYPE] = replace(plain, create=create, update=None, delete=delete)


def _meaning(inputs: Mapping[str, Any]) -> str:
    return json.dumps(dict(inputs), sort_keys=True)


def main(most: int = 12) -> int:
    """Deploy with one model, add one at a time up to `most`, take them away again; return 1 if anything was lost."""
    names = [FIRST, *(f"model_{number:02}" for number in range(2, most + 1))]
    numbers = [*range(1, most + 1), *range(most - 1, 0, -1)]
    policies = Policies()
    with Interpreters(paths) as interpreters, tempfile.TemporaryDirectory() as folder:
        mine = Project(Path(folder), install(ROOT / ".local" / "pulumi", print), interpreters)
        for name in names[1:]:
            shutil.copytree(mine.root / "models" / FIRST, mine.root / "models" / name)
            mine.edit(f"models/{name}/model.yaml", f"name: {FIRST}", f"name: {name}")
        mine.environment["GOOGLE_PROJECT"] = "project-of-nobody"
        with serve("gcp", policies, mine.state):
            mine.pulumi("stack", "init", STACK)
            mine.edit(f"Pulumi.{STACK}.yaml", _listed(mine), f"models: [{names[0]}]")
            mine.deploying("up")
            print(f"models {1:>3}: {len(policies.wanted)} bindings")
            for before, after in pairwise(numbers):
                mine.edit(f"Pulumi.{STACK}.yaml", *(f"models: [{', '.join(names[:n])}]" for n in (before, after)))
                policies.staying = tuple(f"-{name}" for name in names[: min(before, after)])
                up = mine.deploying("up")
                print(f"models {after:>3}: {len(policies.wanted)} bindings, {up.counts}, lost {sorted(policies.lost)}")
    return 1 if policies.lost else 0


def _listed(mine: Project) -> str:
    lines = (mine.root / f"Pulumi.{STACK}.yaml").read_text(encoding="utf-8").splitlines()
    return next(line.strip() for line in lines if line.strip().startswith("models:"))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
