"""A plain function under functions-framework, with numpy and onnxruntime."""

import json
import os

import numpy as np
import onnxruntime

SESSION = onnxruntime.InferenceSession(os.environ["MODEL"])
NAME = SESSION.get_inputs()[0].name


def handle(request):
    rows = request.get_json()["instances"]
    label, probabilities = SESSION.run(None, {NAME: np.array(rows, dtype=np.float32)})
    body = {"label": label.tolist(), "probabilities": probabilities.tolist()}
    return json.dumps(body), 200, {"content-type": "application/json"}
