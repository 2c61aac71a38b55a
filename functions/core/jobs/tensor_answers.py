"""Arrays as numpy saves them - .npy, or .npz by input - answered by any version: their first axis are the rows."""

from __future__ import annotations

import io
import time
import zipfile
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Fault, Problem
from functions.core.jobs.answers import Answered, Answers, aligned, errors_in
from functions.core.jobs.job import Format
from functions.core.jobs.prediction_lines import error_line, lines_of
from functions.core.onnx.session import ModelFailure
from functions.core.onnx.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from functions.core.jobs.source import JobInput
    from functions.core.serving.servable import Servable

LARGEST = 400_000_000
"""Bytes of all arrays: they are held in memory, in a function of 1 GB."""
_DATATYPES = {
    "float16": "FP16", "float32": "FP32", "float64": "FP64", "bool": "BOOL",
    "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64",
    "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64",
}  # fmt: skip


class TensorAnswers(Answers):
    def __init__(self, job_input: JobInput, servable: Servable) -> None:
        self._input = job_input
        self._servable = servable

    def all(self, skip: int, batch_rows: int) -> Iterator[Answered]:
        tensors = self._tensors()
        rows = next(iter(tensors.values())).shape[0]
        for first, last in aligned(skip, rows, batch_rows):
            began = time.perf_counter()
            lines = self._lines({name: tensor.rows(first, last) for name, tensor in tensors.items()}, last - first)
            refused = errors_in(lines)
            yield Answered(lines=lines, refused=refused, seconds=time.perf_counter() - began)

    def _lines(self, inputs: Mapping[str, Tensor], rows: int) -> list[bytes]:
        """Return a line for each row: all at once, or one by one where that fails."""
        try:
            self._servable.admit(inputs)
            return lines_of(self._servable, self._servable.answer(inputs), rows)
        except (ModelFailure, Problem) as problem:
            if rows == 1:
                failure = problem if isinstance(problem, Problem) else Problem(500, "the model fails on this row")
                return [error_line(failure)]
        each = ({name: tensor.rows(at, at + 1) for name, tensor in inputs.items()} for at in range(rows))
        return [line for one in each for line in self._lines(one, 1)]

    def _tensors(self) -> dict[str, Tensor]:
        """Return the inputs of the model. Raise `Problem` 400 for arrays that are not these, or no arrays."""
        arrays = self._arrays()
        needed = {name: spec for name, spec in self._servable.inputs.items() if not spec.optional}
        known = self._servable.inputs
        if list(arrays) == [""] and len(needed) == 1:
            arrays = dict(zip(needed, arrays.values(), strict=True))
        unknown = [name for name in arrays if name not in known]
        lacking = [name for name in needed if name not in arrays]
        if unknown or lacking:
            faults = [Fault(field=name or "the array", message="is no input") for name in unknown]
            faults += [Fault(field=name, message="is missing") for name in lacking]
            raise Problem(400, f"the arrays are not the inputs; accepted: {', '.join(known)}", faults=faults)
        return {name: self._tensor(name, array) for name, array in arrays.items()}

    def _tensor(self, name: str, array: np.ndarray) -> Tensor:
        spec = self._servable.inputs[name]
        datatype = _DATATYPES.get(array.dtype.name)
        if datatype != spec.datatype:
            raise _misfit(name, f"is {array.dtype.name}; accepted: {spec.datatype}")
        fits = spec.shape is None or (
            len(spec.shape) == array.ndim
            and all(wanted in (-1, length) for wanted, length in zip(spec.shape[1:], array.shape[1:], strict=True))
        )
        if not fits or not array.ndim or not array.size:
            raise _misfit(name, f"has the shape {list(array.shape)}; accepted: {spec.shape_in_words}, one row or more")
        import numpy as np  # noqa: PLC0415 - jobs of other formats do without it

        little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        return Tensor.over(datatype, little.shape, little.reshape(-1).view(np.uint8).data)

    def _arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays of the file by name; that of .npy has none. Raise `Problem` 400 or 413."""
        import numpy as np  # noqa: PLC0415

        if self._input.size > LARGEST:
            raise Problem(413, f"the arrays have more than {LARGEST} bytes")
        data = b"".join(self._input.blocks(0, most_bytes=LARGEST))
        try:
            if self._input.job.format is Format.NPY:
                return {"": _loaded(np, io.BytesIO(data))}
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
                    raise Problem(413, f"the arrays have more than {LARGEST} bytes")
                return {
                    entry.filename.removesuffix(".npy"): _loaded(np, io.BytesIO(archive.read(entry)))
                    for entry in archive.infolist()
                }
        except (ValueError, zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError):
            raise Problem(400, f"the file is no .{self._input.job.format} file of numbers, as numpy saves it") from None


def _loaded(np: Any, file: io.BytesIO) -> np.ndarray:
    return np.lib.format.read_array(file, allow_pickle=False)


def _misfit(field: str, message: str) -> Problem:
    return Problem(400, "the arrays do not fit the model", faults=[Fault(field=field, message=message)])
