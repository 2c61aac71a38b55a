"""What everybody pays at least, start to end: `python session.py MODEL COLUMNS`. See bench/binding.py."""

import os
import sys

import numpy as np
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(int32)": np.int32}
session = onnxruntime.InferenceSession(sys.argv[1])
takes = session.get_inputs()[0]
row = np.ones((1, int(sys.argv[2])), dtype=TYPES[takes.type])
print(f"{session.run(None, {takes.name: row})[-1].ravel()[0]:g}", flush=True)
os._exit(0)
