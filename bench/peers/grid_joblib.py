"""`grid_joblib.py CASES`: five-fold cross-validation of twenty points by two workers of joblib, and a last fit."""

import sys

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GridSearchCV, PredefinedSplit

GRID = {"learning_rate": [0.02, 0.05, 0.1, 0.2, 0.3], "max_leaf_nodes": [7, 15, 31, 63]}

with np.load(sys.argv[1]) as data:
    x, y, fold = data["x"], data["y"], data["fold"]
visible = fold != -1
estimator = HistGradientBoostingClassifier(random_state=0, max_iter=30, early_stopping=False)
scores = ["roc_auc", "accuracy", "f1", "neg_log_loss"]
search = GridSearchCV(estimator, GRID, cv=PredefinedSplit(fold[visible]), scoring=scores, refit="roc_auc", n_jobs=2)
search.fit(x[visible], y[visible])
print(search.best_params_, search.best_score_)
