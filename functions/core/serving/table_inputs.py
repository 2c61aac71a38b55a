"""Columns of a table as the inputs of a model."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Fault, Problem
from functions.core.onnx.tensor import FLOATS, INTEGERS, Tensor
from models.feature import BLANK, LARGEST, Feature

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from functions.core.onnx.tensor import Spec

_CODES = {
    "FP32": "f", "FP64": "d", "INT8": "b", "UINT8": "B", "INT16": "h", "UINT16": "H", "INT32": "i", "UINT32": "I",
    "INT64": "q", "UINT64": "Q",
}  # fmt: skip
"""The type codes of the module `array`."""


def unfit_columns(specs: Iterable[Spec], columns: Mapping[str, Sequence[str]]) -> str | None:
    """Return why the names of columns do not fit the inputs of a model; None where they do."""
    inputs = {spec.name: spec for spec in specs}
    for name, named in columns.items():
        if name not in inputs:
            return f"columns.{name}: is no input; accepted: {', '.join(inputs)}"
        if inputs[name].row not in ((len(named),), (-1,)):
            shape = inputs[name].shape_in_words
            return f"columns.{name}: names {len(named)} columns; {name} is {shape}, and must be [-1, {len(named)}]"
    known = [column for name in inputs for column in columns.get(name, (name,))]
    twice = [column for at, column in enumerate(known) if column in known[:at]]
    return f"columns: {twice[0]} is an input, too" if twice else None


def names_of(spec: Spec, columns: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return the names of an input's columns. Raise `Problem` 400 where it has none."""
    if spec.name in columns:
        return columns[spec.name]
    if spec.row in ((), (1,)):
        return (spec.name,)
    accepted = "JSON, or the names of its columns under columns: in the model's model.yaml"
    fault = Fault(
        field=spec.name, message=f"has the shape {spec.shape_in_words}, and is no column; accepted: {accepted}"
    )
    raise Problem(400, "a table cannot be the input of this model", faults=[fault])


def feature_of(name: str, datatype: str) -> Feature:
    """Return a column as a feature; a category without categories is any text."""
    if datatype in INTEGERS:
        least, greatest = INTEGERS[datatype]
        return Feature(name=name, kind="integer", minimum=least, maximum=greatest)
    if datatype in FLOATS:
        bound = LARGEST if datatype == "FP32" else None
        return Feature(name=name, minimum=None if bound is None else -bound, maximum=bound)
    return Feature(name=name, kind="boolean" if datatype == "BOOL" else "category")


def cell_of(text: str, spec: Spec) -> Any:
    """Return the value of a cell as JSON has it for an input; a text that is none as it is, and None for an empty one.

    A number keeps every digit that the datatype holds.
    """
    plain = text.strip()
    if spec.datatype == "BYTES" or not plain.isascii() or "_" in plain:
        return text
    if plain.lower() in BLANK:
        return None
    try:
        return _number(plain, spec)
    except ValueError:
        return text


def _number(plain: str, spec: Spec) -> Any:
    """Return the number or the truth value of a text. Raise `ValueError` where it is none."""
    if spec.datatype == "BOOL":
        return bool(Feature(name=spec.name, kind="boolean").known(plain))
    whole = spec.datatype in INTEGERS
    if whole and plain.lstrip("+-").isdecimal():
        return int(plain)
    number = float(plain)
    return int(number) if whole and number.is_integer() else number


def side_by_side(spec: Spec, columns: Sequence[Sequence[Any]], names: Sequence[str]) -> Tensor:
    """Return columns as one tensor, [rows] or [rows, columns]. Raise `Problem` 400 that names the column."""
    rows, code = len(columns[0]), _CODES.get(spec.datatype, "")
    shape = (rows,) if spec.row == () else (rows, len(columns))
    whole: Any = array(code, bytes(array(code).itemsize * math.prod(shape))) if code else [None] * math.prod(shape)
    for at, (name, column) in enumerate(zip(names, columns, strict=True)):
        try:
            whole[at :: len(columns)] = array(code, column) if code else list(column)
        except (TypeError, ValueError, OverflowError):
            raise _refusal(name, f"holds a value that is no {spec.datatype}, or another number of values") from None
    try:
        return Tensor.over(spec.datatype, shape, whole) if code else Tensor.of(spec.datatype, shape, whole)
    except ValueError as problem:
        raise _refusal(spec.name, str(problem)) from None


def _refusal(field: str, message: str) -> Problem:
    return Problem(400, "the rows do not fit the model", faults=[Fault(field=field, message=message)])
