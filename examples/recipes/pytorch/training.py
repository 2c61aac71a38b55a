"""A small network of PyTorch. It scales its inputs itself, so that the ONNX file takes what callers send."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from models.contract import Params

torch.set_num_threads(1)  # another number of threads adds up in another order, and so fits another model


class Network(nn.Module):
    """Rows, in which a missing value counts as the mean, to probabilities."""

    def __init__(self, x: np.ndarray, width: int, classes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(np.nanmean(x, axis=0)))
        self.register_buffer("spread", torch.from_numpy(np.nanstd(x, axis=0) + 1e-6))
        self.layers = nn.Sequential(nn.Linear(x.shape[1], width), nn.ReLU(), nn.Linear(width, classes))

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        scaled = (x - self.mean) / self.spread
        return self.layers(torch.where(torch.isnan(scaled), torch.zeros_like(scaled), scaled))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        probabilities = torch.softmax(self.scores(x), dim=1)
        return torch.argmax(probabilities, dim=1), probabilities


class Classifier:
    """A network with the methods that an estimator has."""

    def __init__(self, network: Network) -> None:
        self.network = network.eval()

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return self.network(torch.from_numpy(x))[1].numpy()


def fit(X: np.ndarray, y: np.ndarray, params: Params) -> Classifier:
    """A classifier fitted on `X` [rows, features] float32 and `y` [rows], positions in the classes."""
    torch.manual_seed(0)
    network = Network(X, int(params["width"]), int(y.max()) + 1)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    rows, labels = torch.from_numpy(X), torch.from_numpy(y)
    for _ in range(int(params["epochs"])):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network.scores(rows), labels).backward()
        optimizer.step()
    return Classifier(network)


def export(estimator: Classifier) -> bytes:
    """The ONNX file of an estimator, whose tensors have the names and types that are asked for."""
    file = io.BytesIO()
    width = len(estimator.network.mean)
    torch.onnx.export(
        estimator.network,
        (torch.zeros(1, width),),
        file,
        input_names=["features"],
        output_names=["label", "probabilities"],
        dynamic_axes={name: {0: "rows"} for name in ("features", "label", "probabilities")},
        opset_version=17,
        dynamo=False,
    )
    return file.getvalue()
