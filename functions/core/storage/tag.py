"""The state of an object, by which a write finds out that another came before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from models.light import dataclass

if TYPE_CHECKING:
    from obstore import ObjectMeta, UpdateVersion


@dataclass(frozen=True, kw_only=True)
class Tag:
    """One state of an object, as `read` returns it and `replace` takes it.

    S3 and the memory store compare the ETag only, Cloud Storage the version (a generation). So
    both are kept, and each store uses its own.
    """

    e_tag: str | None
    version: str | None

    @classmethod
    def of(cls, meta: ObjectMeta) -> Self:
        return cls(e_tag=meta["e_tag"], version=meta["version"])

    def __str__(self) -> str:
        return f"{self.e_tag} {self.version}"

    @property
    def condition(self) -> UpdateVersion:
        condition: UpdateVersion = {}
        if self.e_tag is not None:
            condition["e_tag"] = self.e_tag
        if self.version is not None:
            condition["version"] = self.version
        return condition
