"""`python -m bench.train_ours CASES`: the work of peers/train_bare.py, done as the train function does it."""

import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from functions.core.dataset.dataset import Dataset
from functions.core.training.classification import Classification
from functions.core.training.experiment import Training, run_experiment
from models.contract import Params, Target


def fit(x: np.ndarray, y: np.ndarray, params: Params) -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=200)).fit(x, y)


with np.load(sys.argv[1]) as data:
    dataset = Dataset(x=data["x"], y=data["y"], fold=data["fold"])
task = Classification(Target(name="y", classes=("no", "yes")))
result = run_experiment(Training(fit=fit), dataset, {}, task=task)
print(result.record["metrics"])
