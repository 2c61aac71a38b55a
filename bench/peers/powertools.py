"""Powertools for AWS Lambda: resolver with validation, logger, metrics."""

import os

import numpy as np
import onnxruntime
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from pydantic import BaseModel

SESSION = onnxruntime.InferenceSession(os.environ["MODEL"])
NAME = SESSION.get_inputs()[0].name
app = APIGatewayHttpResolver(enable_validation=True)
logger = Logger(service="predict")
metrics = Metrics(namespace="bench", service="predict")


class Request(BaseModel):
    instances: list[list[float]]


class Answer(BaseModel):
    label: list[int]
    probabilities: list[list[float]]


@app.post("/predict")
def predict(request: Request) -> Answer:
    label, probabilities = SESSION.run(None, {NAME: np.array(request.instances, dtype=np.float32)})
    metrics.add_metric(name="rows", unit="Count", value=len(request.instances))
    return Answer(label=label.tolist(), probabilities=probabilities.tolist())


@logger.inject_lambda_context
@metrics.log_metrics
def handle(event, context):
    return app.resolve(event, context)
