"""`POST /predict`: rows by feature name, without tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.body import as_object
from functions.core.problem import Fault, Problem, shown
from functions.core.rows import encode_instances

if TYPE_CHECKING:
    from functions.core.classifier import Answer, Classifier
    from functions.core.predict import Prediction
    from functions.core.tensor import Tensor

EXAMPLE = '{"instances": [{feature: value, ...}, ...]}'


def instances_of(body: Any) -> Any:
    """The rows of a request. Raises `Problem` 400 when there are none, or something besides."""
    request = as_object(body, EXAMPLE)
    others = [name for name in request if name != "instances"]
    if "instances" not in request:
        raise Problem(400, f"the body is not {EXAMPLE}", faults=[Fault(field="instances", message="is missing")])
    if others:
        fault = Fault(field=shown(others[0]), message=f"is not part of a request; accepted: {EXAMPLE}")
        raise Problem(400, "the body holds more than instances", faults=[fault])
    return request["instances"]


def encode(instances: Any, by: Classifier) -> Tensor:
    """The rows as the input of a version. Raises `Problem` 400 that names row and feature."""
    return by.tensor(encode_instances(instances, by.features))


def document(prediction: Prediction) -> dict[str, Any]:
    """The answer: for every row its label, and the probability of every class."""
    return {
        "model": prediction.by.model,
        "version": prediction.by.version,
        "variant": prediction.variant,
        "predictions": rows_of(prediction.answer, prediction.by.classes),
    }


def rows_of(answer: Answer, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {"label": classes[label], "probabilities": dict(zip(classes, probabilities, strict=True))}
        for label, probabilities in zip(answer.labels, answer.probabilities, strict=True)
    ]
