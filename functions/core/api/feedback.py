"""Feedback: the truths of rows that were answered, told later, many at once. Each is taken or refused by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.http.json_codec import as_object, read_json
from functions.core.http.messages import ACCEPTED_KEY, KEY_DIGITS, is_key
from functions.core.http.problem import Fault, Problem, shown
from functions.core.registry.truths import KEY, REQUEST, Row, Truths
from functions.core.runtime.digest import pseudonym
from functions.core.serving.predictor import CAPTURED_ROWS
from functions.core.serving.rows import MOST_ROWS
from models.feature import UnacceptableValue

if TYPE_CHECKING:
    from functions.core.http.messages import Request
    from functions.core.registry.truths import Truth
    from functions.core.serving.predictor import Predictor
    from models.feature import Feature

EXAMPLE = (
    '{"truths": [{"request": the x-request-id of its answer, "row": 0, "truth": ...}, {"key": ..., "truth": ...}]}'
)
LAST_ROW = CAPTURED_ROWS - 1
"""The place of the last row of a request of which a truth is taken."""
NOT_CAPTURED = (
    "this stack captures no rows of requests, by its setting capture.inputs: truths are kept, and there is"
    " nothing that they could be joined with"
)
_MEMBERS = frozenset({REQUEST, KEY, "row", "truth"})


def taken(request: Request, predictor: Predictor) -> dict[str, Any]:
    """Keep the truths in a request, and return how many were taken and which were refused, item by item.

    Of several truths of one row the last one counts. Raise `Problem`: 400 for a body that is no list of truths, or a
    model whose answers have none; 413 for too many; 503 while no version is live, which knows the classes.
    """
    items = _items(as_object(read_json(request.body, request.headers), EXAMPLE))
    wanted = predictor.model_cache.current().champion.truth()
    truths: dict[Row, Truth] = {}
    refused: list[dict[str, Any]] = []
    count = 0
    for at, item in enumerate(items):
        read = _read(item, wanted)
        if isinstance(read, Fault):
            refused.append({"item": at, "field": read.field, "message": read.message})
            continue
        row, truth = read
        truths[row] = truth
        count += 1
    if truths:
        Truths(predictor.captures.objects, predictor.model).tell(list(truths.items()), predictor.clock())
    answer = {"model": predictor.model, "taken": count, "refused": refused}
    return answer if predictor.share else {**answer, "warning": NOT_CAPTURED}


def _items(body: dict[str, Any]) -> list[Any]:
    items = body.get("truths")
    if not isinstance(items, list) or not items or len(body) > 1:
        raise Problem(400, f"the body is not a list of truths; accepted: {EXAMPLE}")
    if len(items) > MOST_ROWS:
        raise Problem(413, f"there are {len(items)} truths; at most {MOST_ROWS} are taken at once")
    return items


def _read(item: Any, wanted: Feature) -> tuple[Row, Truth] | Fault:
    """Return the row that an item names, and its truth; or what is wrong with it."""
    if not isinstance(item, dict):
        return Fault(field="", message='is not an object; accepted: {"request" or "key": ..., "row": 0, "truth": ...}')
    row = _row(item)
    if isinstance(row, Fault):
        return row
    try:
        number = wanted.encode_typed(item.get("truth"))
    except UnacceptableValue as problem:
        return Fault(field="truth", message=str(problem))
    return row, wanted.categories[int(number)] if wanted.categories else float(item["truth"])


def _row(item: dict[str, Any]) -> Row | Fault:
    if others := item.keys() - _MEMBERS:
        told = f"is not part of a truth; accepted: {REQUEST} or {KEY}, row, truth"
        return Fault(field=shown(min(others)), message=told)
    if (REQUEST in item) == (KEY in item):
        told = f"is {'one of two names' if KEY in item else 'missing'}; accepted: it, or {KEY}"
        return Fault(field=REQUEST, message=told)
    place = item.get("row", 0)
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place <= LAST_ROW:
        told = f"is not a whole number from 0 to {LAST_ROW}: of a request so many rows are captured at most"
        return Fault(field="row", message=told)
    by = REQUEST if REQUEST in item else KEY
    name = item[by]
    if not isinstance(name, str) or not is_key(name):
        return Fault(field=by, message=f"is not a text of {ACCEPTED_KEY}")
    return Row(by, name.strip() if by == REQUEST else pseudonym(name.strip(), KEY_DIGITS), place)
