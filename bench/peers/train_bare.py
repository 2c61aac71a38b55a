"""`train_bare.py CASES`: two-fold cross-validation, a last fit and the conversion, by the bare libraries."""

import sys

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def fit(x, y):
    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=200)).fit(x, y)


with np.load(sys.argv[1]) as data:
    x, y, fold = data["x"], data["y"], data["fold"]
for number in (0, 1):
    learns, tests = (fold != number) & (fold != -1), fold == number
    probabilities = fit(x[learns], y[learns]).predict_proba(x[tests])
    truth, answer = y[tests], probabilities.argmax(axis=1)
    print(roc_auc_score(truth, probabilities[:, 1]), accuracy_score(truth, answer))
    print(f1_score(truth, answer), log_loss(truth, probabilities))
visible = fold != -1
last = fit(x[visible], y[visible])
onnx = convert_sklearn(
    last, initial_types=[("X", FloatTensorType([None, x.shape[1]]))], options={id(last): {"zipmap": False}}
)
print(len(onnx.SerializeToString()))
