"""Whether another version of a model keeps what the clients of the live one rely on, by their cards."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Card = Mapping[str, Any]


def broken(before: Card, after: Card) -> list[str]:
    """Return what clients of a version would have to change for another; nothing where they need not.

    Of a finished model an input may take more than it did; an output may do all but contradict what it was. New
    outputs and optional inputs are no harm. Of a trained one the features are the same in the same order, since a
    client may send tensors, and each takes all that it did; an interval may come, and does not go.
    """
    if before["task"] != after["task"]:
        return [f"the live version is of task {before['task']}"]
    if "features" in before:
        return [*_features(before, after), *_answers(before, after)]
    return [*_inputs(before, after), *_outputs(before, after), *_scores(before, after), *_columns(before, after)]


def _inputs(before: Card, after: Card) -> Iterator[str]:
    was, now = _by_name(before["inputs"]), _by_name(after["inputs"])
    for name, old in was.items():
        new = now.get(name)
        if new is None:
            yield f"the input {name} is gone"
        elif not _takes(new, old):
            yield f"the input {name} is {_said(new)}, and was {_said(old)}"
        elif old.get("optional") and not new.get("optional"):
            yield f"the input {name} is no longer optional"
    yield from (f"the input {name} is new" for name in now if name not in was and not now[name].get("optional"))


def _outputs(before: Card, after: Card) -> Iterator[str]:
    now = _by_name(after["outputs"])
    for name, old in _by_name(before["outputs"]).items():
        new = now.get(name)
        if new is None:
            yield f"the output {name} is gone"
        elif not _agree(old, new):
            yield f"the output {name} is {_said(new)}, and was {_said(old)}"


def _scores(before: Card, after: Card) -> Iterator[str]:
    was, now = before.get("scores"), after.get("scores") or {"classes": ()}
    if was and not now["classes"]:
        yield "scores are gone, and with them the labels"
    elif was and (gone := [name for name in was["classes"] if name not in now["classes"]]):
        more = f" and {len(gone) - _SHOWN} more" if len(gone) > _SHOWN else ""
        yield f"classes are gone: {', '.join(gone[:_SHOWN])}{more}"


def _columns(before: Card, after: Card) -> Iterator[str]:
    now = after.get("columns", {})
    for name, old in before.get("columns", {}).items():
        if sorted(now.get(name, ())) != sorted(old):
            yield f"the columns of {name} are other ones"


def _features(before: Card, after: Card) -> Iterator[str]:
    was, now = _by_name(before["features"]), _by_name(after["features"])
    yield from (f"the feature {name} is gone" for name in was if name not in now)
    yield from (f"the feature {name} is new" for name in now if name not in was)
    if set(was) == set(now) and list(was) != list(now):
        yield "the features are in another order"
    for name in (name for name in was if name in now):
        yield from (f"the feature {name} {complaint}" for complaint in _narrower(was[name], now[name]))


def _narrower(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a feature does not take any more, or takes for something else."""
    if other := [part for part in sorted({*old, *new} - _COMPARED) if old.get(part) != new.get(part)]:
        yield "; ".join(f"has {part} {new.get(part)}, and had {old.get(part)}" for part in other)
    known, open_before = list(old.get("categories") or ()), old.get("unseen") == _OTHER
    now = list(new.get("categories") or ())
    # What is none of them stands after the last.
    if (now if open_before else now[: len(known)]) != known:
        yield "has other categories, or in another order"
    if open_before and new.get("unseen") != _OTHER:
        yield "does not take any other value any more"
    if new.get("missing", _REJECT) == _REJECT and old.get("missing", _REJECT) != _REJECT:
        yield "may not be missing any more"
    for bound, beyond in (("minimum", -math.inf), ("maximum", math.inf)):
        was, bounded = (beyond if one.get(bound) is None else one[bound] for one in (old, new))
        if (bounded > was) if bound == "minimum" else (bounded < was):
            yield f"has the {bound} {bounded:g}, and had {'none' if math.isinf(was) else format(was, 'g')}"


def _answers(before: Card, after: Card) -> Iterator[str]:
    was, now = before.get("target") or {}, after.get("target") or {}
    if list(was.get("classes") or ()) != list(now.get("classes") or ()):
        yield "the classes are other ones, or in another order"
    if was.get("unit") != now.get("unit"):
        yield f"the answer is in {now.get('unit') or 'no unit'}, and was in {was.get('unit') or 'none'}"
    gives = after.get("outputs") or {}
    yield from (f"the output {name} is gone" for name in before.get("outputs") or {} if name not in gives)
    covered, covers = ((card.get("interval") or {}).get("coverage") for card in (before, after))
    if covers is not None and covered is not None and covers != covered:
        yield f"the interval is to hold {covers:g} of the truths, and was to hold {covered:g}"


_COMPARED = frozenset(
    {"name", "description", "categories", "missing", "minimum", "maximum", "unseen", "learn", "rare_below"}
)
"""Parts of a feature that are compared by what they mean, or mean nothing to clients."""
_OTHER = "other"
_REJECT = "reject"
_SHOWN = 5


def _by_name(specs: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {spec["name"]: spec for spec in specs}


def _takes(wide: Mapping[str, Any], narrow: Mapping[str, Any]) -> bool:
    """Return whether every tensor that fits `narrow` fits `wide`."""
    if wide["datatype"] != narrow["datatype"]:
        return False
    if wide["shape"] is None or narrow["shape"] is None:
        return wide["shape"] is None
    pairs = zip(wide["shape"], narrow["shape"], strict=False)
    return len(wide["shape"]) == len(narrow["shape"]) and all(one in (-1, other) for one, other in pairs)


def _agree(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether a tensor may fit both."""
    if one["datatype"] != other["datatype"]:
        return False
    if one["shape"] is None or other["shape"] is None:
        return True
    pairs = zip(one["shape"], other["shape"], strict=False)
    return len(one["shape"]) == len(other["shape"]) and all(a == b or -1 in (a, b) for a, b in pairs)


def _said(spec: Mapping[str, Any]) -> str:
    return f"{spec['datatype']} {'of any shape' if spec['shape'] is None else spec['shape']}"
