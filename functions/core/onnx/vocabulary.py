"""The categories that a model knows of its inputs: what the encoders in its graph list.

An encoder of scikit-learn fails on a word that it has not seen, so a request can only be made up of those that it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from interface.onnx_file import fields

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    Words = tuple[str | int, ...]

_LISTS = ("cats_strings", "cats_int64s", "keys_strings", "keys_int64s")
"""The attributes of OneHotEncoder and LabelEncoder that hold categories."""
# Field numbers of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_GRAPH, _NODE, _TAKES, _GIVES, _ATTRIBUTE = 7, 1, 1, 2, 5
_NAME, _INTS, _STRINGS = 1, 8, 9


def categories(model: bytes, inputs: Collection[str]) -> dict[str, Words]:
    """Return the categories of inputs, by their names; nothing of an input that leads to no encoder.

    Where several encoders are reached by the same inputs, as from columns that are joined first, each input has those
    of the encoder of its own position. Raise `IndexError` for a file that is damaged.
    """
    if not any(name.encode() in model for name in _LISTS):
        return {}
    reached: dict[tuple[str, ...], list[Words]] = {}
    sources: dict[str, frozenset[str]] = {name: frozenset({name}) for name in inputs}
    for graph in _messages(memoryview(model), _GRAPH):
        for node in _messages(graph, _NODE):
            origins = frozenset[str]().union(*(sources.get(_text(name), ()) for name in _messages(node, _TAKES)))
            sources |= {_text(name): origins for name in _messages(node, _GIVES)}
            lists = [words for attribute in _messages(node, _ATTRIBUTE) if (words := _words(attribute))]
            reached.setdefault(tuple(name for name in inputs if name in origins), []).extend(lists)
    return {name: lists[at % len(lists)] for names, lists in reached.items() if lists for at, name in enumerate(names)}


def _words(attribute: memoryview) -> Words:
    """Return the categories that an attribute lists; none of another attribute."""
    if not any(_text(name) in _LISTS for name in _messages(attribute, _NAME)):
        return ()
    values: list[str | int] = []
    for number, value in fields(attribute):
        if number == _STRINGS and isinstance(value, memoryview):
            values.append(_text(value))
        elif number == _INTS:
            values += [_signed(value)] if isinstance(value, int) else _packed(value)
    return tuple(values)


def _packed(message: memoryview) -> Iterator[int]:
    """Yield the whole numbers of 64 bits that a field holds one after the other."""
    value = shift = 0
    for byte in message:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield _signed(value)
            value = shift = 0


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _text(message: memoryview) -> str:
    return bytes(message).decode("utf-8", "replace")


def _messages(message: memoryview, wanted: int) -> Iterator[memoryview]:
    for number, value in fields(message):
        if number == wanted and isinstance(value, memoryview):
            yield value
