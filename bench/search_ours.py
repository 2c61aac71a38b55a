"""`python -m bench.search_ours METHOD CASES OUT`: a whole search, from a dataset to its best experiment.

`METHOD` is `grid` or `halving`; `CASES` is a .npz file of a dataset. What the best came to is written to `OUT`.
"""

import json
import sys
import tempfile
from pathlib import Path

from bench.begun import MODEL, RECORD, RUN, begin
from functions.core.registry.plan import FIRST
from functions.core.runtime.log import Log
from functions.core.selection.candidate import Experiments, recorded
from functions.core.storage.objects import Objects
from functions.core.training.train import Trainer

TRAINING = """
from sklearn.ensemble import GradientBoostingClassifier

def fit(X, y, params):
    return GradientBoostingClassifier(random_state=0, max_features=8, **params).fit(X, y)
"""
SEARCH = {
    "folds": 3,
    "families": [
        {
            "n_estimators": [5, 10, 20],
            "learning_rate": [0.05, 0.1, 0.3],
            "max_depth": [2, 3, 4],
            "min_samples_leaf": [10, 20, 50],
        }
    ],
}

method, cases, out = sys.argv[1:]
data, models = Objects.in_memory(), Objects.in_memory()
with tempfile.TemporaryDirectory() as temporary:
    folder, search = Path(temporary), {**SEARCH, "method": method}
    contract, shares = begin(folder, data, models, cases=Path(cases), training=TRAINING, search=search)
    trainer = Trainer(data=data, models=models, log=Log(), folder=folder)
    for number in range(FIRST, len(shares) + 1):
        plan, records = recorded(models, MODEL, RUN)
        for name in plan.going_on(records, contract.search.metric, number - 1):
            trainer(MODEL, RUN, name, number)
    best = Experiments.read(models, contract, RECORD).board[0]
Path(out).write_text(json.dumps({"mean": best["mean"], "error": best["std"] / contract.search.folds**0.5}))
