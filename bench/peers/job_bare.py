"""`job_bare.py FILE MODEL OUT`: a table answered by polars and onnxruntime, and written as JSON Lines."""

import sys

import numpy as np
import onnxruntime as ort
import polars as pl

BATCH = 10_000

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(sys.argv[2], options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
table = pl.read_csv(sys.argv[1])
x = table.drop("diagnosis").cast(pl.Float32).to_numpy(order="c")
parts = [session.run(None, {name: x[at : at + BATCH]}) for at in range(0, len(x), BATCH)]
labels, probabilities = (np.concatenate(some) for some in zip(*parts, strict=True))
answers = pl.DataFrame(
    {
        "label": np.array(["benign", "malignant"])[labels],
        "probabilities": pl.DataFrame(probabilities, schema=["benign", "malignant"]).to_struct(),
    }
)
answers.write_ndjson(sys.argv[3])
