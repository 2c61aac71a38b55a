"""Golden rows of a trained model: the answers that each of its versions must give whenever it is opened."""

from __future__ import annotations

import math

from functions.core.onnx.session import BadModel, ModelFailure
from functions.core.onnx.tensor import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from functions.core.onnx.session import Session


def check_golden(
    session: Session, golden: Mapping[str, Any], output: str = "probabilities", label: str = "label"
) -> None:
    """Compare the answers to a version's golden inputs with those it gave when it was made.

    Null stands for NaN, and for a label that rounding decides. Older golden answers have no labels. Raises
    `BadModel` on the first row that differs by more than the golden tolerance, or has another label.
    """
    labels = golden.get("labels")
    answers = _answers(session, golden, [output] if labels is None else [output, label])
    if answers is None:
        return
    answer, expected, tolerance = answers[output], golden["probabilities"], golden["tolerance"]
    shape = (len(expected), len(expected[0]))
    if answer.shape != shape:
        raise BadModel(f"golden answers have the shape {list(shape)}, the model gives {list(answer.shape)}")
    for row, values in enumerate(expected):
        found = answer.rows(row, row + 1).values()
        # NaN is farther than anything, and no comparison with it says so.
        distance = max((abs(a - b) for a, b in zip(found, values, strict=True)), key=lambda d: (math.isnan(d), d))
        if not distance <= tolerance:
            raise BadModel(f"golden row {row} differs by {distance:.2g}; at most {tolerance:g} is accepted")
    for row, (position, given) in enumerate(zip(labels or (), answers[label].values() if labels else (), strict=True)):
        if position is not None and position != given:
            raise BadModel(f"golden row {row} gets the class {given}; it was {position}")


def check_golden_numbers(session: Session, golden: Mapping[str, Any], output: str, ends: tuple[str, ...] = ()) -> None:
    """Compare the numbers that answer a version's golden inputs, and their `ends`, with those of when it was made.

    They may differ by the golden tolerance, as a share of the number or of the spread of all of them. Raises
    `BadModel` on the first row that differs by more.
    """
    answers = _answers(session, golden, [output, *ends])
    if answers is None:
        return
    tolerance, spread = golden["tolerance"], golden["spread"]
    for name, told in zip((output, *ends), ("values", "low", "high"), strict=False):
        found, expected = answers[name].values(), golden[told]
        if len(found) != len(expected):
            raise BadModel(f"there are {len(expected)} golden rows, and the model answers with {len(found)} numbers")
        for row, (value, given) in enumerate(zip(expected, found, strict=True)):
            allowed = tolerance * max(abs(value), spread)
            if not abs(value - given) <= allowed:
                end = f" as its {told} end" if name in ends else ""
                was = f"it was {value:.7g}, give or take {allowed:.2g}"
                raise BadModel(f"golden row {row} gets {given:.7g}{end}; {was}")


def _answers(session: Session, golden: Mapping[str, Any], outputs: list[str]) -> Mapping[str, Tensor] | None:
    """Return what a model answers to its golden inputs; None where it has none. Raise `BadModel`."""
    rows = [[math.nan if value is None else value for value in row] for row in golden["inputs"]]
    if not rows:
        return None
    spec = session.inputs[0]
    tensor = Tensor.of(spec.datatype, (len(rows), len(rows[0])), [value for row in rows for value in row])
    try:
        return session.run({spec.name: tensor}, outputs)
    except ModelFailure as problem:
        raise BadModel(f"the model fails on its golden inputs: {problem}") from None
