"""The reference: what is written first. numpy, onnxruntime, json, all defaults."""

import json
import os

import numpy as np
import onnxruntime

SESSION = onnxruntime.InferenceSession(os.environ["MODEL"])
NAME = SESSION.get_inputs()[0].name


def handle(event, context):
    rows = json.loads(event["body"])["instances"]
    label, probabilities = SESSION.run(None, {NAME: np.array(rows, dtype=np.float32)})
    body = {"label": label.tolist(), "probabilities": probabilities.tolist()}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
