"""The settings of captures: of which requests rows are kept, for how long, and which columns are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

import pulumi
from pydantic import BeforeValidator, Field

from infra.section import Section, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic_core import ErrorDetails


class Capture(Section):
    """What is kept of predictions. Counts and durations are always kept: the judge needs them."""

    inputs: float = Field(default=0.0, ge=0, le=1)
    """The share of requests whose features and answers are kept too."""
    days: int = Field(default=30, ge=1, le=3650)
    redact: Annotated[
        Mapping[str, Literal["omit", "hash"]], BeforeValidator(lambda value: {} if value is None else value)
    ] = Field(default_factory=dict)
    """Columns that are left out, or of which a digest is kept, in every model that has one of that name."""
    key: Annotated[str | None, Field(pattern=r"^[!-~]{24,128}$"), Words("24 to 128 characters without spaces")] = None
    """What digests are made with: who does not have it cannot find out values by trying them."""

    @property
    def hashes(self) -> bool:
        """Whether a digest is kept of a column."""
        return "hash" in self.redact.values()


def unkeyed(capture: Capture) -> Iterator[ErrorDetails]:
    """Yield a problem where digests are to be kept that anybody could compute."""
    if capture.hashes and capture.key is None:
        hashed = ", ".join(name for name, how in capture.redact.items() if how == "hash")
        yield {
            "type": "value_error",
            "loc": ("capture", "key"),
            "input": None,
            "msg": f"{hashed}: without a key everybody who has a list of values finds out which one it was",
            "ctx": {"accepted": "24 to 128 characters without spaces"},
        }


def require_columns(
    capture: Capture, columns: Mapping[str, tuple[str, ...]], where: Callable[[str], str], key: str
) -> None:
    """Raise `pulumi.RunError` for a redacted column that no model has; `columns` are those of each model.

    `where` returns the file and the line of a setting, and `key` is that of the settings.
    """
    known = {column for names in columns.values() for column in names}
    accepted = "; ".join(f"{', '.join(names) or 'none'} ({model})" for model, names in columns.items())
    unknown = [f"capture.redact.{name}" for name in capture.redact if name not in known]
    if unknown:
        said = f"no model of the stack has this column; accepted: {accepted}"
        raise pulumi.RunError("\n".join(f"{where(path)}: {key} -> {path}: {said}" for path in unknown))
