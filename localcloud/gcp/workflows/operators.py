"""The operators of expressions, and the types that they accept.

https://cloud.google.com/workflows/docs/reference/syntax/datatypes: another type is a TypeError;
nothing is converted.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from localcloud.gcp.workflows.errors import Undocumented, error
from localcloud.gcp.workflows.scope import Scope

Evaluate = Callable[[Scope], Any]

TYPES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "double"),
    (str, "string"),
    (bytes, "bytes"),
    (list, "list"),
    (dict, "map"),
    (type(None), "null"),
)
ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
ARITHMETIC = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


def type_of(value: Any) -> str:
    """Return the name of a value's type, as `get_type` does."""
    return next(name for kinds, name in TYPES if isinstance(value, kinds))


def is_number(value: Any) -> bool:
    """Return whether a value is an integer or a double."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def either(left: Evaluate, right: Evaluate) -> Evaluate:
    """Return the evaluation of `left or right`."""
    return lambda scope: boolean("or", left(scope)) or boolean("or", right(scope))


def both(left: Evaluate, right: Evaluate) -> Evaluate:
    """Return the evaluation of `left and right`."""
    return lambda scope: boolean("and", left(scope)) and boolean("and", right(scope))


def opposite(inner: Evaluate) -> Evaluate:
    """Return the evaluation of `not inner`."""
    return lambda scope: not boolean("not", inner(scope))


def negative(inner: Evaluate) -> Evaluate:
    """Return the evaluation of `-inner`."""

    def evaluate(scope: Scope) -> Any:
        value = inner(scope)
        if not is_number(value):
            raise _type_error("-", value)
        return -value

    return evaluate


def listed(members: list[Evaluate]) -> Evaluate:
    """Return the evaluation of `[member, ...]`."""
    return lambda scope: [member(scope) for member in members]


def member(of: Evaluate, key: Evaluate) -> Evaluate:
    """Return the evaluation of `of[key]`."""
    return lambda scope: member_of(of(scope), key(scope))


def binary(mark: str, left: Evaluate, right: Evaluate) -> Evaluate:
    """Return the evaluation of a comparison or an arithmetic operation, by its mark: `<=`."""
    return lambda scope: _binary(mark, left(scope), right(scope))


def boolean(mark: str, value: Any) -> bool:
    """Return a boolean. Raises the workflow's TypeError for another type."""
    if not isinstance(value, bool):
        raise _type_error(mark, value)
    return value


def equal(left: Any, right: Any) -> bool:
    """Return whether two values are equal: numbers across their types, other values only within theirs."""
    if is_number(left) and is_number(right):
        return left == right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return type(left) is type(right) and left == right


def _binary(mark: str, left: Any, right: Any) -> Any:
    if mark in ("==", "!="):
        return equal(left, right) == (mark == "==")
    if mark == "in":
        return _contains(right, left)
    numbers = is_number(left) and is_number(right)
    texts = isinstance(left, str) and isinstance(right, str)
    if mark in ORDER and (numbers or texts):
        return ORDER[mark](left, right)
    if mark in ARITHMETIC and (numbers or (texts and mark == "+")):
        return _arithmetic(mark, left, right)
    raise error("TypeError", f"unsupported operand types for {mark}: '{type_of(left)}' and '{type_of(right)}'")


def _arithmetic(mark: str, left: Any, right: Any) -> Any:
    if mark in ("//", "%") and (left < 0 or right < 0):
        raise Undocumented(f"{left} {mark} {right}: how {mark} rounds a negative number")
    try:
        return ARITHMETIC[mark](left, right)
    except ZeroDivisionError:
        raise error("ZeroDivisionError", "division by zero") from None


def _contains(holder: Any, sought: Any) -> bool:
    if isinstance(holder, dict):
        return sought in holder if isinstance(sought, str) else False
    if isinstance(holder, list):
        return any(equal(sought, each) for each in holder)
    raise error("TypeError", f"The argument of 'in' must be a dict or an array; got: {type_of(holder)}")


def member_of(of: Any, key: Any) -> Any:
    """Return a member of a map or a list. Raises the workflow's KeyError, IndexError or TypeError."""
    if isinstance(of, dict) and isinstance(key, str):
        if key not in of:
            raise error("KeyError", f"key not found: {key}")
        return of[key]
    if isinstance(of, list) and isinstance(key, int) and not isinstance(key, bool):
        if not 0 <= key < len(of):
            raise error("IndexError", f"index out of range: {key}")
        return of[key]
    raise error("TypeError", f"a {type_of(of)} has no member by {type_of(key)}")


def _type_error(mark: str, value: Any) -> Exception:
    return error("TypeError", f"unsupported operand type for {mark}: '{type_of(value)}'")
