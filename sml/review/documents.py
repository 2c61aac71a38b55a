"""The documents of a review, in a folder: what each commit's program said of each stack, and how it ended.

Whoever renders them need not trust whoever made them: every document is of a known format, and of a bounded size.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from sml.mistake import Mistake
from sml.review.difference import Graph
from sml.review.stacks import FILE

FORMAT: Final = 1
NAME: Final = "review.json"
SIDES: Final = ("base", "head")
MADE, ABSENT, FAILED, SAME = "made", "absent", "failed", "same"
"""What became of one side of a stack: it was previewed; it has no file for the stack; its program refused; nothing
that the stack is made of differs from the other side, and it was not asked.
"""
STATES: Final = (MADE, ABSENT, FAILED, SAME)
LARGEST_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Side:
    """What became of one side of a stack."""

    state: str
    said: str = ""
    """Of one that failed, what its program said."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """Two commits, and what became of each stack on both sides."""

    base: str
    """As people read it."""
    head: str
    notes: tuple[str, ...]
    """What is to be known of the comparison as a whole."""
    stacks: Mapping[str, tuple[Side, Side]]
    """By name: the base's side and the head's."""

    @property
    def failed(self) -> bool:
        """Whether the head's program refused a stack."""
        return any(head.state == FAILED for _, head in self.stacks.values())

    def write(self, folder: Path) -> None:
        """Write it to a folder, as `review.json`."""
        document = {
            "format": FORMAT,
            "base": self.base,
            "head": self.head,
            "notes": list(self.notes),
            "stacks": {
                stack: {name: {"state": side.state, "said": side.said} for name, side in zip(SIDES, sides, strict=True)}
                for stack, sides in self.stacks.items()
            },
        }
        (folder / NAME).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read it from a folder. Raise `Mistake` for a document that is not one of a review."""
        found = read(folder / NAME)
        try:
            return cls(
                base=str(found["base"]),
                head=str(found["head"]),
                notes=tuple(str(note) for note in found["notes"]),
                stacks={
                    _stack(name): (_side(one["base"]), _side(one["head"])) for name, one in found["stacks"].items()
                },
            )
        except (KeyError, TypeError, AttributeError, ValueError) as problem:
            raise Mistake(f"{folder / NAME} is no review: {problem}") from None


@dataclass(frozen=True, kw_only=True)
class Documents:
    """What a commit says of a stack."""

    graph: Graph
    preview: Mapping[str, Any] = field(default_factory=dict)
    """Configuration, limits, archives and quotas; empty for a commit that does not tell them."""
    estimate: Mapping[str, Any] = field(default_factory=dict)
    """Cost and carbon; empty where they were not estimated."""

    @classmethod
    def read(cls, folder: Path, stack: str) -> Self:
        """Read the documents of one side. Raise `Mistake` for one that is damaged."""
        graph = folder / f"graph-{stack}.json"
        try:
            return cls(
                graph=Graph.parse(read(graph)),
                preview=_of_format(folder / f"preview-{stack}.json"),
                estimate=_of_format(folder / f"estimate-{stack}.json"),
            )
        except ValueError as problem:
            raise Mistake(f"{graph}: {problem}") from None


def read(path: Path) -> Mapping[str, Any]:
    """Return the object in a JSON file. Raise `Mistake` for another file, or one beyond 32 MiB."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise Mistake(f"{path} has more than {LARGEST_BYTES:,} bytes")
        found = json.loads(path.read_bytes())
    except OSError as problem:
        raise Mistake(f"{path} cannot be read: {problem.strerror}") from None
    except (ValueError, RecursionError):
        raise Mistake(f"{path} is not JSON") from None
    if not isinstance(found, dict):
        raise Mistake(f"{path} holds no object")
    return found


def _of_format(path: Path) -> Mapping[str, Any]:
    """Return a document of format 1; nothing for one that is not there, or of another format."""
    if not path.is_file():
        return {}
    found = read(path)
    return found if found.get("format") == FORMAT else {}


def _stack(name: str) -> str:
    if FILE.fullmatch(f"Pulumi.{name}.yaml") is None:
        raise ValueError(f"{name!r} is no name of a stack")
    return name


def _side(found: Mapping[str, Any]) -> Side:
    if found["state"] not in STATES:
        raise ValueError(f"{found['state']!r} is no state; accepted: {', '.join(STATES)}")
    return Side(state=found["state"], said=str(found["said"]))
