"""A small network of Keras. It scales its inputs itself, so that the ONNX file takes what callers send."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import onnx

import keras
from keras import layers, ops

if TYPE_CHECKING:
    from models.contract import Params


class Filled(layers.Layer):
    """Numbers less their mean, by their spread; a missing one counts as the mean."""

    def __init__(self, mean: np.ndarray, spread: np.ndarray) -> None:
        super().__init__(trainable=False)
        self.mean, self.spread = mean, spread

    def call(self, x):
        scaled = (x - self.mean) / self.spread
        return ops.where(ops.isnan(scaled), ops.zeros_like(scaled), scaled)


class Classifier:
    """A network with the methods that an estimator has."""

    def __init__(self, network: keras.Model) -> None:
        self.network = network

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return self.network(x).numpy()


def fit(X: np.ndarray, y: np.ndarray, params: Params) -> Classifier:
    """A classifier fitted on `X` [rows, features] float32 and `y` [rows], positions in the classes."""
    keras.utils.set_random_seed(0)
    rows = keras.Input((X.shape[1],), name="features")
    filled = Filled(np.nanmean(X, axis=0), np.nanstd(X, axis=0) + 1e-6)(rows)
    hidden = layers.Dense(int(params["width"]), activation="relu")(filled)
    network = keras.Model(rows, layers.Dense(int(y.max()) + 1, activation="softmax", name="shares")(hidden))
    network.compile(optimizer=keras.optimizers.Adam(0.02), loss="sparse_categorical_crossentropy")
    network.fit(X, y, epochs=int(params["epochs"]), batch_size=64, verbose=0)
    return Classifier(network)


def export(estimator: Classifier) -> bytes:
    """The ONNX file of an estimator: the likeliest class is added, and outputs get the names that are asked for."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        estimator.network.export(str(file), format="onnx", verbose=False)
        model = onnx.load(str(file))
    graph = model.graph
    produced, classes = graph.output[0].name, estimator.network.output_shape[1]
    helper, kinds = onnx.helper, onnx.TensorProto
    graph.node.extend(
        [
            helper.make_node("Identity", [produced], ["probabilities"]),
            helper.make_node("ArgMax", [produced], ["label"], axis=1, keepdims=0),
        ]
    )
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("label", kinds.INT64, ["rows"]))
    graph.output.append(helper.make_tensor_value_info("probabilities", kinds.FLOAT, ["rows", classes]))
    return model.SerializeToString()
