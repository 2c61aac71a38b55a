"""Sample requests for a new bring-your-own model: those of its folder, or one made up from its signature."""

from __future__ import annotations

import itertools
import json
import math
import random
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Problem, shown
from functions.core.onnx.session import ModelFailure
from functions.core.onnx.tensor import FLOATS, INTEGERS, Tensor
from functions.core.onnx.tensor_json import JsonTensor
from functions.core.serving.golden import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from functions.core.onnx.session import Session
    from functions.core.onnx.tensor import Spec
    from functions.core.onnx.vocabulary import Words

    Style = Callable[[Spec, random.Random], Any]
    """How the values of an input are made up."""

_ROWS = (2, 1)
_LENGTHS = (16, 1, 2, 3, 4, 8, 32, 64, 128, 224, 256, 512)
_SIDES, _CHANNELS = (224, 32, 64, 28, 256), (3, 1)
"""The lengths of images, and their colours."""
_IMAGE = 4
_RANKS = (2, 1, 0, 3, 4)
"""How many lengths are tried where a model does not say how many it takes."""
_SMALL, _MIXED = (1, 2, 8), 4
"""The lengths of which mixtures are tried, and the most names for which they are."""
_MOST_VALUES = 2_000_000
_SECONDS = 60.0
"""How long requests are made up."""
ACCEPTED = '[{"inputs": [{"name": ..., "shape": [...], "datatype": ..., "data": [...]}, ...], "outputs": ...}, ...]'


class NoSampleRequests(ValueError):
    """There is no request that the model answers. The text says why, and what would help."""


def made_up(session: Session, known: Mapping[str, Words] = MappingProxyType({})) -> Case:
    """Return a request made from the signature alone, always the same, with its answer. Raise `NoSampleRequests`.

    `known` has the categories of inputs, as far as the file lists them.
    """
    reason, end = "it takes more values than can be made up", time.monotonic() + _SECONDS
    for shapes, style in itertools.product(_shapes(session.inputs, session.symbols()), _STYLES):
        inputs = {
            spec.name: _tensor(spec, shapes[spec.name], style, known.get(spec.name, ())) for spec in session.inputs
        }
        try:
            return Case(inputs=inputs, outputs=session.run(inputs))
        except ModelFailure as problem:
            reason = str(problem)
        if time.monotonic() > end:
            break
    raise NoSampleRequests(f"the model answers no request made up from its signature: {reason}")


def recorded(data: bytes, session: Session) -> Iterator[tuple[Case, Mapping[str, Tensor]]]:
    """Yield the requests of a file in the protocol's JSON, each with its answer and the outputs that the file expects.

    Raise `NoSampleRequests`.
    """
    try:
        requests = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as problem:
        told = problem if isinstance(problem, NoSampleRequests) else f"is no JSON; accepted: {ACCEPTED}"
        raise NoSampleRequests(str(told)) from None
    try:
        if not isinstance(requests, list) or not requests:
            raise NoSampleRequests(f"is no list of requests; accepted: {ACCEPTED}")
        for position, request in enumerate(requests):
            if not isinstance(request, dict):
                raise NoSampleRequests(f"[{position}] is no request; accepted: {ACCEPTED}")
            inputs = _tensors("input", request.get("inputs"), (*session.inputs, *session.optional), position)
            missing = [spec.name for spec in session.inputs if spec.name not in inputs]
            if missing:
                raise NoSampleRequests(f"[{position}].inputs lacks {', '.join(missing)}")
            expected = _tensors("output", request.get("outputs", []), session.outputs, position)
            yield Case(inputs=inputs, outputs=session.run(inputs)), expected
    except Problem as problem:
        raise NoSampleRequests(problem.text) from None
    except ModelFailure as problem:
        raise NoSampleRequests(f"the model fails on a request: {problem}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the members of an object. Raise `NoSampleRequests` for a name that stands twice."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NoSampleRequests(f"names {shown(twice)} twice in one object")
    return members


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


def _shapes(specs: Sequence[Spec], symbols: Mapping[str, Sequence[str]]) -> Iterator[dict[str, tuple[int, ...]]]:
    """Yield shapes for the inputs, by name, each once. Lengths that share a name are equal in all inputs."""
    seen: list[dict[str, tuple[int, ...]]] = []
    for rank in _RANKS if any(spec.shape is None for spec in specs) else _RANKS[:1]:
        names = {spec.name: _names(spec, symbols[spec.name], rank) for spec in specs}
        firsts = {keys[0] for keys in names.values() if keys}
        keys = sorted(
            {key for keys in names.values() for key in keys if isinstance(key, str)}, key=lambda key: key not in firsts
        )
        for lengths in _lengths(keys, firsts, names):
            shapes = {
                name: tuple(lengths[key] if isinstance(key, str) else key for key in keys)
                for name, keys in names.items()
            }
            if shapes not in seen and sum(map(math.prod, shapes.values())) <= _MOST_VALUES:
                seen.append(shapes)
                yield shapes


def _names(spec: Spec, symbols: Sequence[str], rank: int) -> list[str | int]:
    """Return the lengths of an input as far as they are known, and in place of the others their names."""
    shape = (-1,) * rank if spec.shape is None else spec.shape
    own = [symbols[axis] if axis < len(symbols) else "" for axis in range(len(shape))]
    without = ["rows", "channels" if len(shape) == _IMAGE else "length", *["length"] * len(shape)]
    return [own[axis] or f"?{without[axis]}" if known < 0 else known for axis, known in enumerate(shape)]


def _lengths(keys: list[str], firsts: set[str | int], names: Mapping[str, list[str | int]]) -> Iterator[dict[str, int]]:
    """Yield a length for each name: first the same for all but the rows, then channels of images, then mixtures."""
    for rows, length in itertools.product(_ROWS, _LENGTHS):
        yield {key: rows if key in firsts else length for key in keys}
    for rows, length, channels, axis in itertools.product(_ROWS, _SIDES, _CHANNELS, (1, _IMAGE - 1)):
        colours = {of[axis] for of in names.values() if len(of) == _IMAGE}
        if colours:
            yield {key: channels if key in colours else rows if key in firsts else length for key in keys}
    if len(keys) <= _MIXED:
        for mixture in itertools.product(_SMALL, repeat=len(keys)):
            yield dict(zip(keys, mixture, strict=True))


def _tensor(spec: Spec, shape: tuple[int, ...], style: Style, known: Words) -> Tensor:
    draw = random.Random(spec.name)  # noqa: S311 - the same numbers every time, which is what is wanted
    fitting = INTEGERS.keys() if any(isinstance(word, int) for word in known) else {"BYTES"}
    words = known if spec.datatype in fitting else ()
    values = [draw.choice(words) if words else style(spec, draw) for _ in range(math.prod(shape))]
    return Tensor.of(spec.datatype, shape, values)


def _likely(spec: Spec, draw: random.Random) -> Any:
    """Return a small number, so that it may be a position in a vocabulary; what an encoder's masks and types hold."""
    if spec.datatype in FLOATS:
        return draw.random()
    if spec.datatype in INTEGERS:
        name = spec.name.lower()
        return 1 if "mask" in name else draw.randrange(2) if "type" in name or "segment" in name else draw.randrange(8)
    return draw.random() < 0.5 if spec.datatype == "BOOL" else draw.choice(("a", "b", "c"))


def _binary(spec: Spec, draw: random.Random) -> Any:
    return draw.choice(("a", "b")) if spec.datatype == "BYTES" else draw.randrange(2)


def _ones(spec: Spec, _: random.Random) -> Any:
    return "a" if spec.datatype == "BYTES" else 1


def _zeros(spec: Spec, _: random.Random) -> Any:
    return "" if spec.datatype == "BYTES" else 0


_STYLES = (_likely, _binary, _ones, _zeros)
