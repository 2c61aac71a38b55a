"""The index of a day of captures: which files hold it, and which of the objects that it was written in they stand for.

What a day holds is what is in its files, and in those of its objects that the index does not name. An object is
removed once an index names it, so nothing is ever lost or there twice, whenever one looks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from functions.core.registry import usage_records
from functions.core.runtime.usage import Usage
from functions.core.storage.objects import Conflict
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from functions.core.storage.objects import Objects
    from functions.core.storage.tag import Tag

HOURS = 24
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class CaptureFile:
    """A file that holds requests of one version."""

    key: str
    version: str
    requests: int


@dataclass(frozen=True, kw_only=True)
class CaptureIndex:
    """The index of one model's day."""

    files: tuple[CaptureFile, ...] = ()
    pending: frozenset[str] = frozenset()
    """Objects that the files stand for, and that may be there still."""
    usage: Mapping[str, Usage] = field(default_factory=dict)
    """What the keys of all objects told that the files stand for, by version."""
    turn: str = ""
    """Whose turn it is to change the day: another one's has ended when it is not the same any more."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` returned. Raise `KeyError` or `TypeError` for anything else."""
        return cls(
            files=tuple(CaptureFile(**one) for one in document["files"]),
            pending=frozenset(document["pending"]),
            usage={name: Usage(*map(float, numbers)) for name, numbers in document["usage"].items()},
            turn=document["turn"],
        )

    def document(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {
            "format": FORMAT,
            "files": [vars(one) for one in self.files],
            "pending": sorted(self.pending),
            "usage": {name: list(used) for name, used in sorted(self.usage.items())},
            "turn": self.turn,
        }

    def with_these(self, files: Iterable[CaptureFile], keys: Iterable[str]) -> Self:
        """Return it with files that stand for objects; those that were pending before are gone."""
        pending, usage = frozenset(keys), dict(self.usage)
        for key in sorted(pending):
            usage_records.add(usage, usage_records.read(key))
        return replace(self, files=(*self.files, *files), pending=pending, usage=usage)


@dataclass(frozen=True, kw_only=True)
class CaptureDay:
    """Where the captures of one model's day are."""

    objects: Objects
    model: str
    day: str

    @property
    def key(self) -> str:
        """Where the index is."""
        return f"{self.model}/{layout.CAPTURE_INDEX}{self.day}.json"

    def file_key(self, version: str, name: str) -> str:
        """Return where a file of a version is."""
        return f"{self.model}/{layout.CAPTURE_FILES}version={version}/day={self.day}/{name}.parquet"

    def index(self) -> CaptureIndex:
        """Return the index as it stands; an empty one where there is none."""
        found = self.objects.find_json(self.key)
        return CaptureIndex() if found is None else CaptureIndex.of(found)

    def read(self) -> tuple[CaptureIndex, Tag | None]:
        """Return the index, and the tag of its state for `write`; None where there is none."""
        found = self.objects.read_json(self.key)
        return (CaptureIndex(), None) if found is None else (CaptureIndex.of(found[0]), found[1])

    def write(self, index: CaptureIndex, tag: Tag | None) -> Tag | None:
        """Write the index if its state is still `tag`, and return that of the new one. Raise `Conflict`."""
        if tag is None:
            if not self.objects.create_json(self.key, index.document()):
                raise Conflict(self.key)
        else:
            self.objects.replace_json(self.key, index.document(), tag)
        found, tag = self.read()
        if found != index:
            raise Conflict(self.key)
        return tag

    def hour(self, hour: int, index: CaptureIndex) -> list[str]:
        """Return the objects of an hour that no file stands for yet, sorted."""
        keys = self.objects.keys(f"{self.model}/{self.day}/{hour:02}")
        return sorted(key for key in keys if key not in index.pending)
