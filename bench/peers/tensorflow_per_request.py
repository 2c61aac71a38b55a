"""TensorFlow, the model loaded at the first request, as many examples on the web do."""

import json
import os

import numpy as np
import tensorflow as tf


def handle(event, context):
    model = tf.keras.models.load_model(os.environ["MODEL"])
    rows = np.array(json.loads(event["body"])["instances"], dtype=np.float32)
    positive = model(rows).numpy().ravel()
    probabilities = np.column_stack([1 - positive, positive])
    body = {"label": probabilities.argmax(axis=1).tolist(), "probabilities": probabilities.tolist()}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
