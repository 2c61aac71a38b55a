"""The bodies of `POST /predict`: rows as JSON objects, without tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.http.problem import Fault, Problem, shown
from functions.core.http.request_body import as_object

if TYPE_CHECKING:
    from functions.core.serving.predictor import Prediction

EXAMPLE = '{"instances": [{feature: value, ...}, ...]}'


def instances_of(body: Any) -> Any:
    """Return the value of `instances` in a request.

    Raises `Problem` 400 when the request has no such member, or has any other.
    """
    request = as_object(body, EXAMPLE)
    if "instances" not in request:
        raise Problem(400, f"the body is not {EXAMPLE}", faults=[Fault(field="instances", message="is missing")])
    if len(request) > 1:
        extra = next(name for name in request if name != "instances")
        fault = Fault(field=shown(extra), message=f"is not part of a request; accepted: {EXAMPLE}")
        raise Problem(400, "the body holds more than instances", faults=[fault])
    return request["instances"]


def document(prediction: Prediction) -> dict[str, Any]:
    """Return the response body, one prediction a row.

    Raises `Problem` 422 when the model does not answer row by row.
    """
    rows = next(iter(prediction.inputs.values())).shape[0]
    return {
        "model": prediction.by.model,
        "version": prediction.by.version,
        "variant": prediction.variant,
        "predictions": prediction.by.predictions(prediction.outputs, rows),
    }
