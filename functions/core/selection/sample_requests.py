"""Sample requests for a new bring-your-own model: those of its folder, or one made up from its signature."""

from __future__ import annotations

import itertools
import json
import math
import random
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Problem
from functions.core.onnx.session import ModelFailure
from functions.core.onnx.tensor import FLOATS, INTEGERS, Tensor
from functions.core.onnx.tensor_json import JsonTensor
from functions.core.serving.golden import Case

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.core.onnx.session import Session
    from functions.core.onnx.tensor import Spec

_ROWS = (2, 1)
_LENGTHS = (16, 1, 8, 32, 64, 128, 224, 256, 512)
_MOST_VALUES = 2_000_000
ACCEPTED = '[{"inputs": [{"name": ..., "shape": [...], "datatype": ..., "data": [...]}, ...], "outputs": ...}, ...]'


class NoSampleRequests(ValueError):
    """There is no request that the model answers. The text says why, and what would help."""


def made_up(session: Session) -> Case:
    """Return a request made from the signature alone, always the same, with its answer. Raise `NoSampleRequests`."""
    reason = "it takes more values than can be made up"
    for rows, length in itertools.product(_ROWS, _LENGTHS):
        shapes = {spec.name: _shape(spec, rows, length) for spec in session.inputs}
        if sum(map(math.prod, shapes.values())) > _MOST_VALUES:
            continue
        inputs = {spec.name: _tensor(spec, shapes[spec.name]) for spec in session.inputs}
        try:
            return Case(inputs=inputs, outputs=session.run(inputs))
        except ModelFailure as problem:
            reason = str(problem)
    raise NoSampleRequests(f"the model answers no request made up from its signature: {reason}")


def recorded(data: bytes, session: Session) -> Iterator[tuple[Case, Mapping[str, Tensor]]]:
    """Yield the requests of a file in the protocol's JSON, each with its answer and the outputs that the file expects.

    Raise `NoSampleRequests`.
    """
    try:
        requests = json.loads(data)
    except (ValueError, RecursionError):
        raise NoSampleRequests(f"is no JSON; accepted: {ACCEPTED}") from None
    try:
        if not isinstance(requests, list) or not requests:
            raise NoSampleRequests(f"is no list of requests; accepted: {ACCEPTED}")
        for position, request in enumerate(requests):
            if not isinstance(request, dict):
                raise NoSampleRequests(f"[{position}] is no request; accepted: {ACCEPTED}")
            inputs = _tensors("input", request.get("inputs"), session.inputs, position)
            missing = [spec.name for spec in session.inputs if spec.name not in inputs]
            if missing:
                raise NoSampleRequests(f"[{position}].inputs lacks {', '.join(missing)}")
            expected = _tensors("output", request.get("outputs", []), session.outputs, position)
            yield Case(inputs=inputs, outputs=session.run(inputs)), expected
    except Problem as problem:
        raise NoSampleRequests(problem.text) from None
    except ModelFailure as problem:
        raise NoSampleRequests(f"the model fails on a request: {problem}") from None


def _tensors(kind: str, listed: Any, specs: tuple[Spec, ...], request: int) -> dict[str, Tensor]:
    field = f"[{request}].{kind}s"
    if not isinstance(listed, list) or not all(isinstance(tensor, dict) for tensor in listed):
        raise NoSampleRequests(f"{field} is no list of tensors; accepted: {ACCEPTED}")
    known = {spec.name: spec for spec in specs}
    tensors = {}
    for at, tensor in enumerate(listed):
        sent = JsonTensor(field=f"{field}[{at}]", tensor=tensor, data=None, booleans=True)
        spec = sent.among(known, kind)
        tensors[spec.name] = sent.read(spec)
    return tensors


def _shape(spec: Spec, rows: int, length: int) -> tuple[int, ...]:
    """Return the shape with open lengths filled: the first by `rows`, others by `length`."""
    fill = [rows if axis == 0 else length for axis in range(len(spec.shape))]
    return tuple(filled if known < 0 else known for known, filled in zip(spec.shape, fill, strict=True))


def _tensor(spec: Spec, shape: tuple[int, ...]) -> Tensor:
    """Return a tensor of small numbers, so that they may be positions in a vocabulary."""
    draw = random.Random(spec.name)  # noqa: S311 - the same numbers every time, which is what is wanted
    count = math.prod(shape)
    if spec.datatype in FLOATS:
        values: list[Any] = [draw.random() for _ in range(count)]
    elif spec.datatype in INTEGERS:
        values = [draw.randrange(8) for _ in range(count)]
    elif spec.datatype == "BOOL":
        values = [draw.random() < 0.5 for _ in range(count)]
    else:
        values = [draw.choice(("a", "b", "c")) for _ in range(count)]
    return Tensor.of(spec.datatype, shape, values)
