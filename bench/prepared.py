"""A model made ready when it is shipped: optimised, its weights in a file of their own, to be mapped and not read.

onnxruntime 1.31.1 can save weights laid out for the processor, too
(`session.save_external_prepacked_constant_initializers`), but a session over such a file ends
the process at its first answer, through its own Python package as well.
"""

from __future__ import annotations

from pathlib import Path

import onnxruntime


def prepare(model: Path) -> Path:
    """`<name>.prepared.onnx` beside the model, with its weights."""
    made = model.with_name(f"{model.stem}.prepared.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.optimized_model_filepath = str(made)
    weights = f"{model.stem}.weights"
    for name, value in {
        "session.optimized_model_external_initializers_file_name": weights,
        "session.optimized_model_external_initializers_min_size_in_bytes": "1024",
    }.items():
        options.add_session_config_entry(name, value)
    onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return made
