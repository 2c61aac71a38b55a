"""What settings are made of: strict sections, and the sentence that says what is wrong in one."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from infra import cron

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails


def _cron(text: str) -> str:
    cron.parse(text)
    return text


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Cron = Annotated[str, AfterValidator(_cron)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def sentence(
    problem: ErrorDetails, *, root: type[BaseModel], place: str, examples: Mapping[str, str] | None = None
) -> str:
    """What is wrong, where, and what is accepted. `place` stands before the key, `root` is what the keys belong to."""
    path, sections = _followed([str(part) for part in problem["loc"]], root)
    where = f"{place} -> {'.'.join(path) or '(the whole object)'}"
    match problem["type"]:
        case "extra_forbidden":
            accepted = sorted({name for section in sections for name in section.model_fields})
            meant = difflib.get_close_matches(path[-1], accepted, n=1)
            hint = f"; did you mean {meant[0]}?" if meant else ""
            return f"{where}: there is no such setting{hint}\n  accepted here: {', '.join(accepted)}"
        case "missing":
            line = f"{'  ' * len(path)}{path[-1]}: {(examples or {}).get(path[-1], '...')}"
            return f"{where}: is required\n  write, for example:\n  {line}"
        case "union_tag_not_found" | "union_tag_invalid" as missing_or_unknown:
            key = problem["ctx"]["discriminator"].strip("'_()")
            tags = [tag for section in sections for tag in _tags(section, key)]
            what = (
                f"{problem['ctx']['tag']} is not known" if missing_or_unknown == "union_tag_invalid" else "is required"
            )
            return f"{where}.{key}: {what}\n  accepted: {', '.join(tags)}"
        case _:
            return f"{where}: {problem['msg'].removeprefix('Value error, ')}\n  found: {problem['input']!r}"


def sections_in(annotation: object) -> list[type[BaseModel]]:
    """The sections that a field of this type holds: several where they differ by a tag."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for inner in get_args(annotation) for section in sections_in(inner)]


def _followed(location: Sequence[str], root: type[BaseModel]) -> tuple[list[str], list[type[BaseModel]]]:
    """The keys that a person wrote, without the tags that pydantic puts among them, and the sections they led to."""
    keys: list[str] = []
    sections, theirs = [root], False
    for part in location:
        fields = [section.model_fields[part] for section in sections if part in section.model_fields]
        tagged = [section for section in sections if any(part in _tags(section, name) for name in section.model_fields)]
        if tagged and not fields and not theirs:
            sections = tagged
            continue
        keys.append(part)
        sections = list(dict.fromkeys(s for field in fields for s in sections_in(field.annotation))) or sections
        # Below a mapping or a list comes a name of theirs, or a number.
        theirs = any(get_origin(field.annotation) in (tuple, Mapping) for field in fields)
    return keys, sections


def _tags(section: type[BaseModel], name: str) -> tuple[str, ...]:
    """The values that a field accepts, if it accepts only some."""
    field = section.model_fields.get(name)
    found = () if field is None else get_args(field.annotation)
    return tuple(value for value in found if isinstance(value, str))
