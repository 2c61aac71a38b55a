"""Run the experiments of a run where their packages are: with the interpreter of a recipe's own environment.

    python -m tests.recipes.apart FOLDER MODEL RUN STORES EXPERIMENT...

`STORES` is a zip file of both stores, which is replaced. Only what the train function is made of is imported.
"""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path

from functions.core.runtime.log import Log
from functions.core.storage.objects import Objects
from functions.core.training.train import Trainer

NAMES = ("data", "models")


def write(file: Path, stores: dict[str, Objects]) -> None:
    """Write every object of the stores into a zip file."""
    with zipfile.ZipFile(file, "w") as packed:
        for name, store in stores.items():
            for key in store.keys(""):
                packed.writestr(f"{name}/{key}", store.get(key))


def read(file: Path) -> dict[str, Objects]:
    """Return stores in memory with every object of a zip file."""
    stores = {name: Objects.in_memory() for name in NAMES}
    with zipfile.ZipFile(file) as packed:
        for path in packed.namelist():
            name, _, key = path.partition("/")
            stores[name].put(key, packed.read(path))
    return stores


def main(folder: str, model: str, run: str, file: str, *experiments: str) -> None:
    stores = read(Path(file))
    trainer = Trainer(data=stores["data"], models=stores["models"], log=Log(stream=sys.stderr), folder=Path(folder))
    for experiment in experiments:
        trainer(model, run, experiment)
    write(Path(file), stores)


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stderr.flush()
    os._exit(0)  # libraries of this kind may end in a crash of their own threads
