"""What a version answers on this machine, beside what another one answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.http.problem import Problem
from functions.core.onnx.deadline import Within
from functions.core.onnx.session import ModelFailure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.onnx.tensor import Tensor
    from functions.core.serving.servable import Servable
    from functions.core.watching.captured_rows import CapturedRows

SECONDS = 60.0
"""How long an answer may take."""
TOLERANCE = 1e-4
"""How far apart two numbers of one version may be, on two machines."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a version answered to a request, in how many milliseconds; or why it did not."""

    outputs: Mapping[str, Tensor] | None
    ms: float
    error: str = ""


def answer_of(servable: Servable, inputs: Mapping[str, Tensor]) -> Answer:
    start = time.perf_counter()
    try:
        with Within(SECONDS):
            servable.admit(inputs)
            start = time.perf_counter()
            outputs = servable.answer(inputs)
    except ModelFailure:
        return Answer(outputs=None, ms=(time.perf_counter() - start) * 1000, error="failed")
    except Problem:
        return Answer(outputs=None, ms=(time.perf_counter() - start) * 1000, error="refused")
    return Answer(outputs=outputs, ms=(time.perf_counter() - start) * 1000)


def alike(then: np.ndarray, now: np.ndarray) -> bool:
    if "O" in {then.dtype.kind, now.dtype.kind}:
        return then.tolist() == now.tolist()
    return bool(np.allclose(then, now, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True))


def when(at: float) -> str | None:
    """Return a moment, in seconds since the epoch, as a text; None for one that nobody knows."""
    return None if np.isnan(at) else (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)).isoformat()


def differing_rows(
    rows: CapturedRows,
    number: int,
    part: slice,
    candidate: Servable,
    champion: Servable,
    answers: tuple[Answer, Answer],
) -> Sequence[dict[str, Any]]:
    """Return the rows of a request to which two versions give different answers; all of them where one gave none."""
    ours, theirs = answers
    assert theirs.outputs is not None  # noqa: S101 - else nothing is compared
    length = part.stop - part.start
    found = []
    for row in range(length):
        one = None if ours.outputs is None else _row(ours.outputs, row, length)
        other = _row(theirs.outputs, row, length)
        if one is not None and candidate.agreement(one, champion, other):
            continue
        found.append(
            {
                "request": rows.requests[number],
                "time": when(float(rows.times[number])),
                "row": row,
                "inputs": {name: _plain(values[part.start + row]) for name, values in rows.inputs.items()},
                "champion": _read(champion, other),
                "candidate": {"error": ours.error} if one is None else _read(candidate, one),
            }
        )
    return found


def _row(outputs: Mapping[str, Tensor], row: int, length: int) -> dict[str, Tensor]:
    return {
        name: tensor.rows(row, row + 1) if tensor.shape[:1] == (length,) else tensor for name, tensor in outputs.items()
    }


def _read(servable: Servable, outputs: Mapping[str, Tensor]) -> dict[str, Any]:
    try:
        [prediction] = servable.predictions(outputs, 1)
    except Problem as problem:
        return {"error": problem.detail}
    return prediction


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value
