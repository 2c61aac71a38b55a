"""Strict sections, which settings are made of, and the message about a mistake in one."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from infra import cron

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails


def _cron(text: str) -> str:
    cron.parse(text)
    return text


def no_flag(value: object) -> object:
    """Refuse true and false where a number is meant: in Python they equal 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("a number is expected")
    return value


HIDDEN = "a secret, which is not shown,"
TYPED = re.compile(r"true|false|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
"""Texts of JSON's numbers and truth values."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Cron = Annotated[str, AfterValidator(_cron)]


class Section(BaseModel):
    """A part of the settings: it cannot be changed, knows every key that it accepts, and converts no types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def sentence(
    problem: ErrorDetails,
    *,
    root: type[BaseModel],
    source: str,
    examples: Mapping[str, str] | None = None,
    secret: bool = False,
) -> str:
    """Return what is wrong, where, and what is accepted.

    `source` stands before the key; `root` is the section that the keys belong to. Of a `secret` the sentence
    says neither the value nor anything that was made of it.
    """
    path, sections = _resolved([str(part) for part in problem["loc"]], root)
    where = f"{source} -> {'.'.join(path) or '(the whole object)'}"
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
            tag = HIDDEN if secret else problem["ctx"].get("tag")
            what = f"{tag} is not known" if missing_or_unknown == "union_tag_invalid" else "is required"
            return f"{where}.{key}: {what}\n  accepted: {', '.join(tags)}"
        case "value_error" if secret:
            return f"{where}: {HIDDEN} is not accepted; docs/settings.md says what is"
        case _:
            found = HIDDEN.rstrip(",") if secret else repr(problem["input"])
            return f"{where}: {problem['msg'].removeprefix('Value error, ')}\n  found: {found}"


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


def sections_in(annotation: object) -> list[type[BaseModel]]:
    """Return the sections that a field of this type can hold: several where they differ by a tag."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for inner in get_args(annotation) for section in sections_in(inner)]


def _resolved(location: Sequence[str], root: type[BaseModel]) -> tuple[list[str], list[type[BaseModel]]]:
    """Return the keys as they were written, and the sections that they lead to.

    The tags that pydantic puts among the keys are left out.
    """
    keys: list[str] = []
    sections, named_by_user = [root], False
    for part in location:
        fields = [section.model_fields[part] for section in sections if part in section.model_fields]
        tagged = [section for section in sections if any(part in _tags(section, name) for name in section.model_fields)]
        if tagged and not fields and not named_by_user:
            sections = tagged
            continue
        keys.append(part)
        sections = list(dict.fromkeys(s for field in fields for s in sections_in(field.annotation))) or sections
        # The key below a mapping is the user's own, below a list an index.
        named_by_user = any(get_origin(field.annotation) in (tuple, Mapping) for field in fields)
    return keys, sections


def _tags(section: type[BaseModel], name: str) -> tuple[str, ...]:
    """Return the texts that a field accepts, if it accepts only some."""
    field = section.model_fields.get(name)
    accepted = () if field is None else get_args(field.annotation)
    return tuple(value for value in accepted if isinstance(value, str))
