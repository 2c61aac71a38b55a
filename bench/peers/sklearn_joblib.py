"""scikit-learn's own estimator, unpickled by joblib."""

import json
import os

import joblib
import numpy as np

ESTIMATOR = joblib.load(os.environ["MODEL"])


def handle(event, context):
    rows = np.array(json.loads(event["body"])["instances"])
    probabilities = ESTIMATOR.predict_proba(rows)
    body = {"label": probabilities.argmax(axis=1).tolist(), "probabilities": probabilities.tolist()}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
