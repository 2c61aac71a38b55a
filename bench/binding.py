"""Make one prediction through our binding, and end: `python -I -S binding.py SITE MODEL COLUMNS`.

`SITE` is an unpacked archive. peers/session.py does the same with numpy and onnxruntime's Python
package, peers/floor.c in C with the same library.
"""

from __future__ import annotations

import os
import sys

sys.path.insert(0, sys.argv[1])

from functions.core.onnx.session import Session
from functions.core.onnx.tensor import Tensor

model, columns = sys.argv[2], int(sys.argv[3])
with open(model, "rb") as file:  # noqa: PTH123 - the programs that it is compared with import no pathlib either
    session = Session(file.read())
row = Tensor.of(session.inputs[0].datatype, (1, columns), [1] * columns)
answers = session.run({session.inputs[0].name: row})
print(f"{list(answers.values())[-1].values()[0]:g}", flush=True)
os._exit(0)
