"""The answers of a version as lines of JSON, many at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.http.json_codec import load_orjson
from functions.core.serving.classifier import Classifier
from functions.core.serving.regressor import Regressor
from functions.core.storage.objects import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.http.problem import Problem
    from functions.core.onnx.tensor import Tensor
    from functions.core.serving.servable import Servable

    Ids = Mapping[str, Sequence[str | None]]
    """The columns that tell rows from others: a text for each row."""


def lines_of(servable: Servable, outputs: Mapping[str, Tensor], rows: int) -> list[bytes]:
    """Return a line of canonical JSON for each row. Raise `Problem` 422 where the model does not answer row by row."""
    match servable:
        case Classifier():
            return _classified(servable, outputs)
        case Regressor():
            return _numbered(servable, outputs)
    return list(map(canonical, servable.predictions(outputs, rows)))


def error_line(problem: Problem) -> bytes:
    """Return the line of a row that is refused."""
    details = problem.document()
    return canonical({"error": {name: details[name] for name in ("status", "detail", "errors")}})


def with_ids(lines: Sequence[bytes], ids: Ids) -> list[bytes]:
    """Return lines with the identifiers of their rows as the member `id`."""
    if not ids:
        return list(lines)
    orjson, names = load_orjson(), list(ids)
    each = zip(*ids.values(), strict=True)
    return [
        line[:-1] + b',"id":' + orjson.dumps(dict(zip(names, values, strict=True))) + b"}"
        for line, values in zip(lines, each, strict=True)
    ]


def _classified(classifier: Classifier, outputs: Mapping[str, Tensor]) -> list[bytes]:
    """Return `{"label": ..., "probabilities": {...}}` for each row, its numbers written by orjson all at once."""
    tensor, width = classifier.probabilities(outputs), len(classifier.classes)
    order = sorted(range(width), key=classifier.classes.__getitem__)
    numbers = _written(tensor.values())
    templates = {name: _template(name, [classifier.classes[at] for at in order]) for name in classifier.classes}
    each = zip(*(numbers[at::width] for at in order), strict=True)
    return [templates[label] % row for label, row in zip(classifier.labels(outputs), each, strict=True)]


def _numbered(regressor: Regressor, outputs: Mapping[str, Tensor]) -> list[bytes]:
    """Return `{"value": ...}` for each row, with the ends of its interval where the version has them."""
    values = _written(regressor.values(outputs))
    if (ends := regressor.ends(outputs)) is None:
        return [b'{"value":%b}' % number for number in values]
    low, high = map(_written, ends)
    return [b'{"high":%b,"low":%b,"value":%b}' % row for row in zip(high, low, values, strict=True)]


def _written(numbers: Sequence[float]) -> list[bytes]:
    """Return numbers as JSON has them."""
    return load_orjson().dumps(numbers)[1:-1].split(b",")


def _template(label: str, classes: Sequence[str]) -> bytes:
    names = [canonical(name).replace(b"%", b"%%") for name in classes]
    probabilities = b",".join(name + b":%b" for name in names)
    return b'{"label":' + canonical(label).replace(b"%", b"%%") + b',"probabilities":{' + probabilities + b"}}"
