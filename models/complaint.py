"""The sentence for a mistake in a model's description: where it is, what stands there, and what is accepted."""

from __future__ import annotations

import difflib
import json
import math
import types
import typing
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from models.document import BOOLEANS, is_in, quoted, shortened, written

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from models.document import Document, Keys, Plain

MOST = 20
"""The most mistakes that are told at once."""
_COUNTS = {1: "one or more", 2: "two or more"}
_STRANGE = ("extra_forbidden", "unexpected_keyword_argument")
_OWN = "stands_wrong"


class Words(str):
    """What is accepted where a type does not say it, as a note of the type: `Annotated[str, Words("five digits")]`."""

    __slots__ = ()


def mistake(text: str, *keys: str | int, label: str | None = None) -> PydanticCustomError:
    """Return what a validator raises: a sentence about the value to which `keys` lead, from its section on.

    `label` is what the sentence calls the value where that is clearer than the keys.
    """
    return PydanticCustomError(_OWN, "{text}", {"text": text, "keys": keys, "label": label})


def complaints(problems: Sequence[ErrorDetails], document: Document, kind: type[BaseModel]) -> list[str]:
    """Return a sentence for each mistake, in the order of the file; of many, for the first."""
    found: dict[Keys, ErrorDetails] = {}
    around: set[Keys] = set()
    for problem in problems:
        keys = _place(problem, document.value)
        if keys not in around:
            found.setdefault(keys, problem)
            around |= {keys[:end] for end in range(len(keys))}
    lists: dict[Keys, list[Keys]] = {}
    for keys in sorted(found, key=lambda keys: document.line(keys) or 0):
        lists.setdefault((*keys[:-1], -1) if _in_a_list(keys) else keys, []).append(keys)
    told = [
        f"{document.place(first)}: {_sentence(found[first], first, document, kind)}{_more(first, others)}"
        for first, *others in islice(lists.values(), MOST)
    ]
    return told if len(lists) <= MOST else [*told, f"{document.where}: and {len(lists) - MOST} more mistakes"]


def _in_a_list(keys: Keys) -> bool:
    return bool(keys) and isinstance(keys[-1], int)


def _more(first: Keys, others: Sequence[Keys]) -> str:
    """Return how many other mistakes a list has: the first is told for all."""
    return f" (and {len(others)} more of {written(first[:-1])})" if others else ""


def surprises(document: Document) -> list[str]:
    """Return a sentence for each word that YAML takes for something else than it looks like."""
    found = ((keys, plain) for keys, plain in document.plain.items() if plain.surprising)
    return [f"{document.place(keys)}: {written(keys)}: {_surprise(plain)}" for keys, plain in islice(found, MOST)]


def _sentence(problem: ErrorDetails, keys: Keys, document: Document, root: type[BaseModel]) -> str:
    context: dict[str, Any] = problem.get("ctx") or {}
    odd = document.plain.get(keys)
    if problem["type"] == _OWN:
        if odd is not None and odd.surprising:
            return f"{written(keys)}: {_surprise(odd)}"
        return f"{context['label'] or written(keys)}: {context['text']}"
    where = f"{written(keys)}: " if keys else ""
    return where + _said(problem["type"], keys, document.at(keys), odd, root)


def _said(kind: str, keys: Keys, value: Any, plain: Plain | None, root: type[BaseModel]) -> str:
    """Return what is wrong at a place, by pydantic's kind of problem, and what is accepted there."""
    if kind in _STRANGE:
        return f"there is no such key{_hint(keys, root)}"
    options = _types_at(keys, root)
    accepted = " or ".join(dict.fromkeys(_words(option, notes) for option, notes in options))
    if kind.startswith("missing"):
        return f"is missing; accepted: {accepted}"
    if plain is not None and plain.means != "nothing" and _takes_text(plain.text, options):
        return f"{plain.text} is {plain.means} to YAML; write {quoted(plain.text)} in quotes"
    if isinstance(value, str) and not _takes(str, options) and (number := _number(value)) is not None:
        return f"is the text {quoted(value)}; write the number {number}, without quotes"
    return f"{_found(value)}; accepted: {accepted}{_meant(value, options)}"


def _place(problem: ErrorDetails, document: Any) -> Keys:
    """Return the keys of the file that lead to what a problem is about, without what pydantic puts among them."""
    keys: list[str | int] = []
    value: Any = document
    for part in problem["loc"]:
        if is_in(value, part):
            value = value[part]
        elif not (problem["type"].startswith("missing") and part == problem["loc"][-1]):
            break
        keys.append(part)
    own = (problem.get("ctx") or {}).get("keys", ()) if problem["type"] == _OWN else ()
    return (*keys, *own)


def _meant(value: Any, options: Sequence[Option]) -> str:
    words = [word for option, _ in options if get_origin(option) is Literal for word in get_args(option)]
    meant = difflib.get_close_matches(value, words, n=1) if isinstance(value, str) else []
    return f"; did you mean {meant[0]}?" if meant else ""


def _surprise(plain: Plain) -> str:
    said = f"{plain.text} is {plain.means} to YAML; write "
    if plain.means in BOOLEANS:
        return f"{said}{plain.means}, or {quoted(plain.text)} in quotes for the text"
    return f"{said}{quoted(plain.text)} in quotes for the text, or the number in plain digits"


def _hint(keys: Keys, root: type[BaseModel]) -> str:
    """Return what is meant by a key that there is not: one beside it of almost that name, or one elsewhere."""
    name = str(keys[-1])
    here = [key for option, _ in _types_at(keys[:-1], root) for key in _fields(option)]
    if meant := difflib.get_close_matches(name, here, n=1):
        return f"; did you mean {meant[0]}?"
    elsewhere = dict(_all_keys(root, ()))
    if meant := difflib.get_close_matches(name, list(elsewhere), n=1, cutoff=0.85):
        return f"; did you mean {written(elsewhere[meant[0]])}?"
    return f"; accepted here: {', '.join(here)}"


def _all_keys(kind: object, above: Keys) -> Iterator[tuple[str, Keys]]:
    for name, (option, notes) in _fields(kind).items():
        yield name, (*above, name)
        for inner, _ in _options(option, notes):
            yield from _all_keys(inner, (*above, name))


Option = tuple[Any, tuple[Any, ...]]
"""A type that a value may be of, and what is noted about it."""


def _types_at(keys: Keys, root: type[BaseModel]) -> list[Option]:
    """Return the types that a value may be of, and what is noted about each."""
    options: list[Option] = [(root, ())]
    for key in keys:
        options = [inner for option, _ in options for inner in _below(option, key)]
    return options


def _below(option: Any, key: str | int) -> list[Option]:
    if key in (fields := _fields(option)):
        return _options(*fields[str(key)])
    origin = get_origin(option)
    if origin in (tuple, list) and isinstance(key, int):
        return _options(get_args(option)[0], ())
    if origin is dict and isinstance(key, str):
        return _options(get_args(option)[1], ())
    return []


def _fields(option: Any) -> dict[str, Option]:
    """Return the keys of a section or of a feature; none of another type."""
    if isinstance(option, type) and issubclass(option, BaseModel):
        return {name: (info.annotation, tuple(info.metadata)) for name, info in option.model_fields.items()}
    if isinstance(option, type) and hasattr(option, "__dataclass_fields__"):
        hints = typing.get_type_hints(option, include_extras=True)
        return {name: (hints[name], ()) for name in option.__dataclass_fields__ if name in hints and name[0] != "_"}
    return {}


def _options(annotation: Any, notes: tuple[Any, ...]) -> list[Option]:
    """Return the types that an annotation stands for: several of a union, in its order, without None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        unpacked = [part for note in more for part in (note.metadata if isinstance(note, FieldInfo) else [note])]
        return _options(inner, (*notes, *unpacked))
    if origin in (Union, types.UnionType):
        return [option for arm in get_args(annotation) if arm is not type(None) for option in _options(arm, notes)]
    return [(annotation, notes)]


def _words(option: Any, notes: tuple[Any, ...]) -> str:
    """Return what a type accepts."""
    told = next((note for note in notes if isinstance(note, Words)), None)
    if told is not None:
        return told
    if fields := _fields(option):
        return f"a mapping with {', '.join(fields)}"
    origin, bounds = get_origin(option), _bounds(notes)
    if origin in (tuple, list):
        [inner, *_] = get_args(option)
        each = " or ".join(dict.fromkeys(_words(*one) for one in _options(inner, ())))
        many = next((_COUNTS[note.min_length] for note in notes if hasattr(note, "min_length")), "any number")
        return f"a list, {many}, each {each}"
    if origin is dict:
        return "a mapping from names to lists"
    if origin is Literal:
        return ", ".join(map(str, get_args(option)))
    return {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[option] + bounds


def _bounds(notes: tuple[Any, ...]) -> str:
    """Return the bounds of a number in words."""
    signs = {"ge": "{:,} or more", "gt": "above {:,}", "le": "{:,} or less", "lt": "below {:,}"}
    found = {sign: getattr(note, sign) for note in notes for sign in signs if getattr(note, sign, None) is not None}
    if found.keys() == {"ge", "le"}:
        return f" from {found['ge']:,} to {found['le']:,}"
    return "".join(
        f"{' and' if at else ','} {signs[sign].format(bound)}" for at, (sign, bound) in enumerate(found.items())
    )


def _takes(kind: type, options: Sequence[Option]) -> bool:
    return any(option is kind or get_origin(option) is Literal for option, _ in options)


def _takes_text(text: str, options: Sequence[Option]) -> bool:
    """Return whether a text would be taken if it were in quotes."""
    return any(option is str or (get_origin(option) is Literal and text in get_args(option)) for option, _ in options)


def _number(text: str) -> str | None:
    """Return the number that a text holds, as YAML reads it; None where it holds none that is finite."""
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    short = repr(int(number) if number.is_integer() and abs(number) < 1e15 else number)
    # YAML 1.1 reads an exponent only behind a point.
    return short if "." in short else short.replace("e", ".0e")


def _found(value: Any) -> str:
    """Return what stands at a place."""
    match value:
        case None:
            return "is empty"
        case bool() | int() | float():
            return f"is {shortened(json.dumps(value))}"
        case str():
            return f"is the text {quoted(value)}"
        case list():
            return f"is a list of {len(value)}" if value else "is an empty list"
        case _:
            return "is a mapping" if value else "is an empty mapping"
