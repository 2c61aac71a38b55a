"""FastAPI behind Mangum."""

import os

import numpy as np
import onnxruntime
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

SESSION = onnxruntime.InferenceSession(os.environ["MODEL"])
NAME = SESSION.get_inputs()[0].name
app = FastAPI()


class Request(BaseModel):
    instances: list[list[float]]


@app.post("/predict")
def predict(request: Request):
    label, probabilities = SESSION.run(None, {NAME: np.array(request.instances, dtype=np.float32)})
    return {"label": label.tolist(), "probabilities": probabilities.tolist()}


handle = Mangum(app, lifespan="off")
