"""One experiment as a program of its own, for processes in which OpenBLAS chooses anew how it computes."""

from __future__ import annotations

import sysconfig

from infra.processor import VECTORS, here, kernel
from models.section import FOLDER

OWN = kernel(here())["OPENBLAS_CORETYPE"].casefold()
"""What training computes with here, as OpenBLAS answers it."""
OTHERS = {"x86_64": ("Nehalem", "Sandybridge"), "arm64": ("CORTEXA53", "CORTEXA57")}[here()]
"""Kernels of older processors, which run here, too: what two processors of one fleet would choose."""
FLEET = [
    {"OPENBLAS_CORETYPE": kernel, "NPY_DISABLE_CPU_FEATURES": lacking}
    for kernel, lacking in zip(OTHERS, ("", VECTORS[here()]), strict=True)
]
"""Two processors of one fleet: by variables, what OpenBLAS and numpy would choose there. The second is an older one."""
EXPERIMENT = """
import json
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer
from functions.core.dataset.dataset import Dataset
from functions.core.training.classification import Classification
from functions.core.training.experiment import Training, run_experiment
from models.contract import Target
from models.breast_cancer import sample


def fit(x, y, params):
    # OpenBLAS's sums in the one, numpy's logarithms and powers in the other.
    return make_pipeline(PowerTransformer(), LogisticRegression(max_iter=2000)).fit(x, y)


def train():
    cases, labels = sample.instances()
    x = np.array([list(case.values()) for case in cases], dtype=np.float32)
    y = np.array([label == "malignant" for label in labels], dtype=np.int64)
    dataset = Dataset(x=x, y=y, fold=(np.arange(len(y)) % 3 - 1).astype(np.int8))
    task = Classification(Target(name="y", classes=("no", "yes")))
    record = run_experiment(Training(fit=fit), dataset, {}, task=task).record
    computed = record["processor"]
    kernels = sorted({str(kernel).casefold() for kernel in computed["kernels"].values()})
    return {"sha256": record["sha256"], "kernels": kernels, "numpy": computed["numpy"]}
"""
"""`train()` says which file came of it, by which kernels, and with which of numpy's instruction sets."""
WORKER = f"""
import sys
sys.path += {[str(FOLDER.parent), sysconfig.get_paths()["platlib"]]}
{EXPERIMENT}

def handle(*_):
    return train()
"""
"""The same as a function's code, with the packages of the tests."""
