"""Process start to first prediction through `functions.core.onnx`: `python -I -S bench/cold/ours.py MODEL [COLUMNS]`.

`reference.py` beside it does the same with numpy and onnxruntime's Python binding, `floor.c`
with a C program over the same library. Each opens the model, asks for one row of 0.5 and
prints the answer's first value, and ends at once. Run them in turn, many times: what is compared is the whole
process. `--site FOLDER` is where onnxruntime is installed: a function's archive, unpacked, or
a virtual environment's site-packages.
"""

from __future__ import annotations

import os
import sys


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--site"]:
        sys.path.append(arguments[1])
        arguments = arguments[2:]
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    from functions.core.onnx import Session
    from functions.core.tensor import Tensor

    with open(arguments[0], "rb") as file:
        session = Session(file.read())
    columns = int(arguments[1]) if len(arguments) > 1 else 30
    row = Tensor.of("FP32", (1, columns), [0.5] * columns)
    answers = session.run({session.inputs[0].name: row})
    print(f"{list(answers.values())[-1].values()[0]:g}", flush=True)
    os._exit(0)


main(sys.argv[1:])
