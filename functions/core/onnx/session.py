"""Open and run ONNX models with onnxruntime's C library, without copying tensors."""

from __future__ import annotations

import math

from functions.core.onnx import library as ort
from functions.core.onnx.c_session import open_session, run_session, specs
from functions.core.onnx.tensor import Spec, Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from functions.core.onnx.tensor import Memory


class BadModel(ValueError):
    """A model file cannot be served: it is not ONNX, is damaged, or is of a kind that is refused."""


class ModelFailure(RuntimeError):
    """A model failed on inputs of the right names, datatypes and shapes."""


class Session:
    """An open model. Several threads may call `run` at once."""

    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]

    def __init__(self, model: Memory, *, threads: int = 1) -> None:
        """Open the bytes of an ONNX file (`CreateSessionFromArray`). One call of `run` uses `threads` threads.

        Raises `BadModel` when the file cannot be opened, refers to other files, or has inputs or
        outputs that are not tensors.
        """
        self._library = library = ort.library()
        try:
            self._session = open_session(library, model, threads=threads)
            self.inputs = tuple(specs(library, self._session, "Input"))
            self.outputs = tuple(specs(library, self._session, "Output"))
        except ValueError as problem:
            raise BadModel(str(problem)) from None
        except ort.Failure as problem:
            raise BadModel(f"the file is not an ONNX model that onnxruntime opens: {problem}") from None
        self._names = tuple(spec.name for spec in self.outputs)

    def run(self, inputs: Mapping[str, Tensor], outputs: Sequence[str] | None = None) -> dict[str, Tensor]:
        """Compute the named outputs, or all of them (`Run`). Their memory is read-only.

        Raises `ModelFailure` with onnxruntime's own message.
        """
        names = self._names if outputs is None else tuple(outputs)
        try:
            return run_session(self._library, self._session, inputs, names)
        except ort.Failure as problem:
            raise ModelFailure(str(problem)) from None


def check_golden(session: Session, golden: Mapping[str, Any], output: str = "probabilities") -> None:
    """Compare the output for a version's golden inputs with the output that was recorded at registration.

    In `golden`, null stands for NaN. Raises `BadModel` on the first row that differs by more
    than the golden tolerance.
    """
    rows = [[math.nan if value is None else value for value in row] for row in golden["inputs"]]
    spec = session.inputs[0]
    tensor = Tensor.of(spec.datatype, (len(rows), len(rows[0])), [value for row in rows for value in row])
    try:
        answer = session.run({spec.name: tensor}, [output])[output]
    except ModelFailure as problem:
        raise BadModel(f"the model fails on its golden inputs: {problem}") from None
    expected, tolerance = golden["probabilities"], golden["tolerance"]
    shape = (len(expected), len(expected[0]))
    if answer.shape != shape:
        raise BadModel(f"golden answers have the shape {list(shape)}, the model gives {list(answer.shape)}")
    for row, values in enumerate(expected):
        probabilities = answer.rows(row, row + 1).values()
        # NaN is farther than any number, but every comparison with it is false.
        distance = max(
            (abs(a - b) for a, b in zip(probabilities, values, strict=True)), key=lambda d: (math.isnan(d), d)
        )
        if not distance <= tolerance:
            raise BadModel(f"golden row {row} differs by {distance:.2g}; at most {tolerance:g} is accepted")
