"""Whether a new version of a finished model keeps what the clients of the live one rely on, by their cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Card = Mapping[str, Any]


def broken(before: Card, after: Card) -> list[str]:
    """Return what clients of a version would have to change for another; nothing where they need not.

    An input may take more than it did; an output may do all but contradict what it was. New outputs and optional
    inputs are no harm.
    """
    if before["task"] != after["task"]:
        return [f"the live version is of task {before['task']}"]
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
