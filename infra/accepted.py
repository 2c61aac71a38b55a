"""What a setting accepts, in the words of docs/settings.md, by its type and its bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from infra.section import Section, sections_in


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One type that a value may be of, and what is said about it besides."""

    type: Any
    notes: tuple[Any, ...] = ()

    @property
    def section(self) -> type[Section] | None:
        """The section that it is, if any."""
        return self.type if isinstance(self.type, type) and issubclass(self.type, Section) else None

    def words(self) -> str:
        """Return what is accepted."""
        if (told := self._note("text")) is not None:
            return told
        if self.section is not None:
            return f"a mapping, with {', '.join(self.section.model_fields)}"
        origin = get_origin(self.type)
        if origin is tuple:
            many = "" if self._note("min_length") is None else ", one or more"
            most = self._note("max_length")
            many += "" if most is None else f", up to {most}"
            return f"a list{many}; each: {accepted(kinds(get_args(self.type)[0]))}"
        if origin is Mapping:
            return "a mapping, by names"
        if origin is Literal:
            return ", ".join(map(str, get_args(self.type)))
        return {bool: "true, false", int: "a whole number", float: "a number"}.get(self.type, "a text") + self._bounds()

    def _bounds(self) -> str:
        lowest, highest = self._note("ge"), self._note("le")
        return "" if lowest is None or highest is None else f", {lowest:,} to {highest:,}"

    def _note(self, name: str) -> Any:
        return next((value for note in self.notes if (value := getattr(note, name, None)) is not None), None)


def kinds(annotation: Any, notes: Iterable[Any] = ()) -> list[Kind]:
    """Return the types that an annotation stands for: several of a union, in its order, without None."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return kinds(inner, (*notes, *_unpacked(more)))
    if get_origin(annotation) in (Union, UnionType):
        return [kind for arm in get_args(annotation) if arm is not NoneType for kind in kinds(arm, notes)]
    return [Kind(type=annotation, notes=tuple(notes))]


def _unpacked(notes: Iterable[Any]) -> Iterator[Any]:
    for note in notes:
        yield from note.metadata if isinstance(note, FieldInfo) else (note,)


def accepted(options: Sequence[Kind]) -> str:
    """Return what is accepted where a value may be of several types: sections that a tag tells apart, or one."""
    sections = [kind.section for kind in options if kind.section is not None]
    if len(sections) > 1:
        tag = next(name for name in sections[0].model_fields if tags(sections[0], name))
        return f"a mapping, with {tag}: {', '.join(value for section in sections for value in tags(section, tag))}"
    return "; or ".join(kind.words() for kind in options)


def tags(section: type[Section], name: str) -> tuple[str, ...]:
    """Return the texts that a field accepts, if it accepts only some."""
    field = section.model_fields.get(name)
    values = () if field is None else get_args(field.annotation)
    return tuple(value for value in values if isinstance(value, str))


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place in settings: its keys as they were written, the types that it may be of, and the sections around it."""

    keys: tuple[str | int, ...]
    kinds: Sequence[Kind]
    around: Sequence[type[Section]]

    @property
    def path(self) -> str:
        """The keys as `pulumi config set --path` takes them: `rollout.steps[0]`."""
        text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.keys)
        return text.removeprefix(".")


def place(location: Sequence[str | int], root: type[Section]) -> Place:
    """Return the place that pydantic means, without the tags that it puts among the keys."""
    found = Place(keys=(), kinds=[Kind(type=root)], around=[root])
    for part in location:
        found = _step(found, part)
    return found


def without_empty_parts(value: Any, options: Sequence[Kind]) -> Any:
    """Return settings without the parts in which everything is commented out: they are their defaults.

    One that has a name of the user's own, or whose presence is what asks for it, is there, and has nothing in it.
    """
    if isinstance(value, list):
        return [without_empty_parts(inner, below(options, at)) for at, inner in enumerate(value)]
    if not isinstance(value, dict):
        return value
    named = any(get_origin(kind.type) is Mapping for kind in options)
    kept = {}
    for key, inner in value.items():
        inside = below(options, key)
        if inner is not None or not any(sections_in(kind.type) for kind in inside):
            kept[key] = without_empty_parts(inner, inside)
        elif named or _asks_by_its_name(options, key):
            kept[key] = {}
    return kept


def _asks_by_its_name(options: Sequence[Kind], key: str) -> bool:
    """Return whether a part does something by being there: it is left out by default, and needs no key in it."""
    fields = [kind.section.model_fields[key] for kind in options if kind.section and key in kind.section.model_fields]
    parts = [section for field in fields for section in sections_in(field.annotation)]
    required = any(inner.is_required() for section in parts for inner in section.model_fields.values())
    return all(field.default is None for field in fields) and not required


def _step(at: Place, part: str | int) -> Place:
    sections = [kind.section for kind in at.kinds if kind.section is not None]
    inside = below(at.kinds, part)
    if not inside and (
        tagged := [one for one in sections if any(part in tags(one, name) for name in one.model_fields)]
    ):
        return Place(keys=at.keys, kinds=[Kind(type=one) for one in tagged], around=at.around)
    return Place(keys=(*at.keys, part), kinds=inside, around=sections or at.around)


def below(options: Sequence[Kind], part: str | int) -> list[Kind]:
    """Return the types of what stands below a key or at a position; none below a key that there is not."""
    found: list[Kind] = []
    for kind in options:
        origin = get_origin(kind.type)
        if origin in (tuple, Mapping):
            found += kinds(get_args(kind.type)[0 if origin is tuple else 1])
        elif kind.section is not None and part in kind.section.model_fields:
            field = kind.section.model_fields[str(part)]
            found += kinds(field.annotation, _unpacked(field.metadata))
    return [kind for at, kind in enumerate(found) if kind.type not in [other.type for other in found[:at]]]
