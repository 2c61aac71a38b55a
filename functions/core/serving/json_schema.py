"""What callers send and get, as JSON schemas of the dialect that OpenAPI 3.1 speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.onnx.tensor import FLOATS, INTEGERS
from functions.core.onnx.tensor_json import MOST_LENGTHS
from models.feature import COMPOUND, LARGEST
from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.onnx.tensor import Spec
    from models.feature import Feature

Schema = dict[str, Any]
_NAMED = frozenset({"boolean", "category"})
_SHOWN = 20
"""Categories that are given as examples."""
_FINITE: Schema = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}


@dataclass(frozen=True, kw_only=True)
class Schemas:
    """What callers of one version send and get."""

    instance: Schema
    prediction: Schema
    inputs: list[Schema]
    """The tensors of an inference request, each of them required."""
    optional: Sequence[Schema] = ()
    """The tensors that it may have besides."""
    outputs: list[str]
    """The names of the tensors that it may ask for."""


def object_of(properties: Mapping[str, Schema], required: Sequence[str] | None = None) -> Schema:
    """Return the schema of an object. `required` names the properties that must be there, None: all."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties) if required is None else list(required),
    }


def list_of(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def row_of(items: Sequence[Schema]) -> Schema:
    """Return the schema of a list with exactly one element for each schema."""
    return {"type": "array", "prefixItems": list(items), "minItems": len(items), "maxItems": len(items)}


def rows_of(features: Sequence[Feature]) -> tuple[Schema, Schema]:
    """Return the schemas of a row by the names of its features, and of a row as a list in their order."""
    schemas = {feature.name: _of(feature) for feature in features}
    required = [feature.name for feature in features if feature.missing == "reject"]
    return {**object_of(schemas, required), "additionalProperties": False}, row_of(list(schemas.values()))


def encoded_of(terms: Sequence[Feature], datatype: str) -> Schema:
    """Return the schema of one row of numbers, as a client encodes them for a tensor."""
    return row_of([_encoded(term) if datatype in FLOATS else value_of(datatype) for term in terms])


def tensor_of(spec: Spec, row: Schema | None = None, *, most: int | None = None) -> Schema:
    """Return the schema of a tensor in JSON; no schema can say that it holds as many values as its shape.

    `row` is the schema of one row where more is known than its datatype; `most` bounds the rows.
    """
    flat = list_of(value_of(spec.datatype))
    any_shape = list_of(_length(-1, None), maxItems=MOST_LENGTHS)
    lengths = [_length(length, most if axis == 0 else None) for axis, length in enumerate(spec.shape or ())]
    return object_of(
        {
            "name": {"type": "string", "enum": [spec.name]},
            "shape": any_shape if spec.shape is None else row_of(lengths),
            "datatype": {"type": "string", "enum": [spec.datatype]},
            "data": flat if row is None else {"anyOf": [list_of(row), flat]},
            "parameters": {"type": "object"},
        },
        ["name", "shape", "datatype", "data"],
    )


def nested_of(datatype: str, shape: Sequence[int] | None) -> Schema:
    """Return the schema of values as nested lists, of the lengths in `shape`; -1 is any, None any nesting.

    A list of one value alone may be that value, without the list.
    """
    schema = value_of(datatype)
    if shape is None:
        return {}
    if tuple(shape) == (1,):
        return {"anyOf": [schema, list_of(schema, minItems=1, maxItems=1)]}
    for length in reversed(shape):
        schema = list_of(schema) if length < 0 else list_of(schema, minItems=length, maxItems=length)
    return schema


def value_of(datatype: str) -> Schema:
    """Return the schema of one value of a datatype."""
    if datatype in INTEGERS:
        least, greatest = INTEGERS[datatype]
        return {"type": "integer", "minimum": least, "maximum": greatest}
    match datatype:
        case "BOOL":
            return {"type": "boolean"}
        case "BYTES":
            return {"type": "string"}
        case "FP64":
            return {"type": "number"}
        case _:
            return _FINITE


def _length(length: int, most: int | None) -> Schema:
    if length >= 0:
        return {"type": "integer", "minimum": length, "maximum": length}
    return {"type": "integer", "minimum": 0} if most is None else {"type": "integer", "minimum": 1, "maximum": most}


def _of(feature: Feature) -> Schema:
    schema: Schema
    if feature.kind in COMPOUND or feature.unseen == "other":
        schema = _text_of(feature)
    elif feature.kind in _NAMED:
        schema = {"enum": list(feature.categories or (True, False, 0, 1))}
    else:
        schema = _bounded(feature)
    if feature.description:
        schema["description"] = feature.description
    if feature.missing != "reject":
        schema = {"anyOf": [schema, {"type": "null"}]}
    return schema


def _text_of(feature: Feature) -> Schema:
    """Return the schema of a value of which no list has all."""
    match feature.kind:
        case "category":
            return {"type": "string", "examples": list(feature.categories[:_SHOWN])}
        case "text":
            from models.terms import LONGEST_TEXT  # noqa: PLC0415 - most models have no texts

            return {"type": "string", "maxLength": LONGEST_TEXT}
    if feature.format:
        return {"type": "string", "description": feature.accepts}
    return {"type": "string", "format": "date" if feature.kind == "date" else "date-time"}


def _encoded(term: Feature) -> Schema:
    if term.kind in _NAMED:
        return {"type": "integer", "minimum": 0, "maximum": (len(term.names) or 2) - 1}
    return _bounded(term)


def _bounded(feature: Feature) -> Schema:
    schema: Schema = {**_FINITE, "type": feature.kind}
    if feature.minimum is not None:
        schema["minimum"] = feature.minimum
    if feature.maximum is not None:
        schema["maximum"] = feature.maximum
    return schema
