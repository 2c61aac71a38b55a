"""Strict sections, which settings are made of, and what their values have in common."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from infra import cron

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails


@dataclass(frozen=True)
class Words:
    """What a value must be, in the words of docs/settings.md, where its type does not say it."""

    text: str


def _cron(text: str) -> str:
    cron.parse(text)
    return text


def no_flag(value: object) -> object:
    """Refuse true and false where a number is meant: in Python they equal 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("a number is expected")
    return value


def once(key: Callable[[Any], object] = lambda value: value, label: Callable[[Any], str] = str) -> AfterValidator:
    """Return a check of a list: no two of its values have the same key. `label` names a value in a message."""

    def checked(values: tuple[Any, ...]) -> tuple[Any, ...]:
        keys = [key(value) for value in values]
        twice = [label(value) for at, value in enumerate(values) if keys[at] in keys[:at]]
        if twice:
            raise ValueError(f"{', '.join(dict.fromkeys(twice))}: named twice; name each once")
        return values

    return AfterValidator(checked)


TYPED = re.compile(r"true|false|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
"""Texts of JSON's numbers and truth values."""

Name = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9_]{0,47}$"),
    Words("a folder in models/: a small letter, and at most 47 small letters, digits and _"),
]
Cron = Annotated[str, AfterValidator(_cron), Words("five cron fields, UTC")]


class Section(BaseModel):
    """A part of the settings: it cannot be changed, knows every key that it accepts, and converts no types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def retype(document: Any, problems: Sequence[ErrorDetails], *, secret: bool) -> bool:
    """Put numbers and truth values where the CLI left their text, and return whether there were any.

    `pulumi config set --path` writes whole numbers, true and false as such, and fractions as text; of a secret
    it keeps everything as text (sdk/go/common/resource/config/value.go, `coerce`). A text is converted only where
    it is what a problem is about.
    """
    changed = False
    for problem in problems:
        text = problem["input"]
        if not (isinstance(text, str) and TYPED.fullmatch(text) and (secret or problem["type"] == "float_type")):
            continue
        holder, key = document, None
        for part in problem["loc"]:
            held = holder if key is None else holder[key]
            # A tag that tells the sections of a union apart is among the keys, and is no key itself.
            if isinstance(held, dict) and part not in held:
                continue
            holder, key = held, part
        if key is not None and holder[key] == text:
            holder[key], changed = json.loads(text), True
    return changed


def sections_in(annotation: object) -> list[type[Section]]:
    """Return the sections that a field of this type can hold: several where they differ by a tag."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for inner in get_args(annotation) for section in sections_in(inner)]
