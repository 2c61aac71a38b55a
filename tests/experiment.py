"""One experiment as a program of its own, for processes in which OpenBLAS chooses anew how it computes."""

from __future__ import annotations

import sysconfig

from infra.processor import here, kernel
from models.section import FOLDER

OWN = kernel(here())["OPENBLAS_CORETYPE"].casefold()
"""What training computes with here, as OpenBLAS answers it."""
OTHERS = {"x86_64": ("Nehalem", "Sandybridge"), "arm64": ("CORTEXA53", "CORTEXA57")}[here()]
"""Kernels of older processors, which run here, too: what two processors of one fleet would choose."""
EXPERIMENT = """
import json
import numpy as np
from functions.core.dataset.dataset import Dataset
from functions.core.training.experiment import Training, run_experiment
from models.breast_cancer import sample
from models.section import FOLDER


def train():
    cases, labels = sample.instances()
    x = np.array([list(case.values()) for case in cases], dtype=np.float32)
    y = np.array([label == "malignant" for label in labels], dtype=np.int64)
    dataset = Dataset(x=x, y=y, fold=(np.arange(len(y)) % 3 - 1).astype(np.int8))
    fits = Training.load("breast_cancer", FOLDER)
    record = run_experiment(fits, dataset, {"family": "logistic", "C": 1.0}, classes=2).record
    kernels = record["processor"]["kernels"].values()
    return {"sha256": record["sha256"], "kernels": sorted({str(kernel).casefold() for kernel in kernels})}
"""
"""`train()` says which file came of it, and by which kernels."""
WORKER = f"""
import sys
sys.path += {[str(FOLDER.parent), sysconfig.get_paths()["platlib"]]}
{EXPERIMENT}

def handle(*_):
    return train()
"""
"""The same as a function's code, with the packages of the tests."""
