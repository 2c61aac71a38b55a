"""`python -m bench.search_ours METHOD CASES OUT`: a whole search, from a dataset to its best experiment.

`METHOD` is `grid` or `halving`; `CASES` is a .npz file of a dataset. What the best came to is written to `OUT`.
"""

import json
import sys
import tempfile
from pathlib import Path

import yaml

from functions.core.dataset.dataset import Dataset
from functions.core.dataset.rounds import shares_of
from functions.core.registry.plan import FIRST, WHOLE, Plan
from functions.core.registry.versions import Registry
from functions.core.runtime.log import Log
from functions.core.selection.candidate import Experiments, recorded
from functions.core.storage.objects import Objects
from functions.core.training.train import Trainer
from models.contract import Contract

TRAINING = """
from sklearn.ensemble import GradientBoostingClassifier

def fit(X, y, params):
    return GradientBoostingClassifier(random_state=0, max_features=8, **params).fit(X, y)
"""
CONTRACT = {
    "name": "bench",
    "task": "classification",
    "features": [{"name": f"x{at}"} for at in range(30)],
    "target": {"name": "y", "classes": ["no", "yes"]},
    "search": {
        "folds": 3,
        "families": [
            {
                "n_estimators": [5, 10, 20],
                "learning_rate": [0.05, 0.1, 0.3],
                "max_depth": [2, 3, 4],
                "min_samples_leaf": [10, 20, 50],
            }
        ],
    },
    "gate": {"minimum": 0.5},
}
RUN = "0123456789abcdef"

method, cases, out = sys.argv[1:]
data, models = Objects.in_memory(), Objects.in_memory()
with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary)
    (folder / "bench").mkdir()
    document = {**CONTRACT, "search": {**CONTRACT["search"], "method": method}}
    (folder / "bench" / "model.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    (folder / "bench" / "training.py").write_text(TRAINING, encoding="utf-8")
    contract = Contract.load("bench", folder)
    content = Path(cases).read_bytes()
    dataset, registry = Dataset.from_bytes(content), Registry(models, "bench")
    data.put("bench/datasets/cases/data.npz", content)
    shares = shares_of(contract.search, dataset) if method == "halving" else WHOLE
    plan = Plan.of(contract.search.experiments(), shares)
    models.put_json(registry.run_key(RUN, "plan.json"), plan.document())
    record = {"run": RUN, "model": "bench", "dataset": "cases", "created": "", "status": "training"}
    registry.write_run(RUN, record)
    trainer = Trainer(data=data, models=models, log=Log(), folder=folder)
    for number in range(FIRST, len(plan.shares) + 1):
        for name in plan.going_on(recorded(models, "bench", RUN)[1], contract.search.metric, number - 1):
            trainer("bench", RUN, name, number)
    best = Experiments.read(models, contract, record).board[0]
Path(out).write_text(json.dumps({"mean": best["mean"], "error": best["std"] / contract.search.folds**0.5}))
