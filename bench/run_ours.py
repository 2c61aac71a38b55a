"""`python -m bench.run_ours CASES`: the work of peers/grid_joblib.py as a run, whose experiments two workers do.

Each worker is a process, as a copy of the train function is. `CASES WORKER FOLDER` is one of them.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from bench.begun import MODEL, RECORD, RUN, begin
from functions.core.registry.plan import Plan
from functions.core.registry.versions import Registry
from functions.core.runtime.log import Log
from functions.core.selection.candidate import Experiments
from functions.core.storage.objects import Objects
from functions.core.storage.store_url import open_store
from functions.core.training.train import Trainer

WORKERS = 2
TRAINING = """
from sklearn.ensemble import HistGradientBoostingClassifier

def fit(X, y, params):
    return HistGradientBoostingClassifier(random_state=0, max_iter=30, early_stopping=False, **params).fit(X, y)
"""
SEARCH = {
    "folds": 5,
    "families": [{"learning_rate": [0.02, 0.05, 0.1, 0.2, 0.3], "max_leaf_nodes": [7, 15, 31, 63]}],
}


def stores(folder: Path) -> tuple[Objects, Objects]:
    """Return the stores of data and of models, which are folders."""
    data, models = (open_store(f"file://{folder / name}") for name in ("data", "models"))
    return data, models


def work(folder: Path, worker: int) -> None:
    """Do every other experiment."""
    data, models = stores(folder)
    trainer = Trainer(data=data, models=models, log=Log(), folder=folder)
    plan = Plan.read(models.get_json(Registry(models, MODEL).run_key(RUN, "plan.json")))
    for name in list(plan.experiments)[worker::WORKERS]:
        trainer(MODEL, RUN, name)


def run(cases: Path, folder: Path) -> None:
    """Plan the run, have the workers do it, and print the best experiment."""
    for name in ("data", "models"):
        (folder / name).mkdir()
    data, models = stores(folder)
    contract, _ = begin(folder, data, models, cases=cases, training=TRAINING, search=SEARCH)
    command = [sys.executable, "-m", "bench.run_ours", str(cases)]
    workers = [subprocess.Popen([*command, str(number), str(folder)]) for number in range(WORKERS)]
    if any([worker.wait() for worker in workers]):
        raise SystemExit("a worker failed")
    best = Experiments.read(models, contract, RECORD).board[0]
    print(best["params"], best["mean"])


if len(sys.argv) > 2:
    work(Path(sys.argv[3]), int(sys.argv[2]))
else:
    with tempfile.TemporaryDirectory() as temporary:
        run(Path(sys.argv[1]), Path(temporary))
