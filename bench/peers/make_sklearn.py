"""`make_sklearn.py FROM TO`: the estimator of `bench.models`, fitted by this environment's scikit-learn."""

import sys

import joblib
import numpy as np
from sklearn.ensemble import GradientBoostingClassifier

with np.load(sys.argv[1]) as data:
    fitted = GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=0).fit(data["x"], data["y"])
joblib.dump(fitted, sys.argv[2])
