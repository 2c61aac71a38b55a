"""What the operators of expressions do, and to which values.

https://cloud.google.com/workflows/docs/reference/syntax/datatypes: an operator that is given a
type it is not for raises a TypeError; nothing is converted.
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
    """The name of a value's type, as `get_type` says it."""
    return next(name for kinds, name in TYPES if isinstance(value, kinds))


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def either(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda scope: boolean("or", left(scope)) or boolean("or", right(scope))


def both(left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda scope: boolean("and", left(scope)) and boolean("and", right(scope))


def opposite(inner: Evaluate) -> Evaluate:
    return lambda scope: not boolean("not", inner(scope))


def negative(inner: Evaluate) -> Evaluate:
    def evaluate(scope: Scope) -> Any:
        value = inner(scope)
        if not is_number(value):
            raise _unfit("-", value)
        return -value

    return evaluate


def listed(members: list[Evaluate]) -> Evaluate:
    return lambda scope: [member(scope) for member in members]


def member(of: Evaluate, key: Evaluate) -> Evaluate:
    return lambda scope: member_of(of(scope), key(scope))


def binary(mark: str, left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda scope: _binary(mark, left(scope), right(scope))


def boolean(mark: str, value: Any) -> bool:
    """Raises a TypeError for another type."""
    if not isinstance(value, bool):
        raise _unfit(mark, value)
    return value


def equal(left: Any, right: Any) -> bool:
    """Numbers are equal across their types; nothing else is."""
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
    """Raises a KeyError, an IndexError or a TypeError, as the workflow sees them."""
    if isinstance(of, dict) and isinstance(key, str):
        if key not in of:
            raise error("KeyError", f"key not found: {key}")
        return of[key]
    if isinstance(of, list) and isinstance(key, int) and not isinstance(key, bool):
        if not 0 <= key < len(of):
            raise error("IndexError", f"index out of range: {key}")
        return of[key]
    raise error("TypeError", f"a {type_of(of)} has no member by {type_of(key)}")


def _unfit(mark: str, value: Any) -> Exception:
    return error("TypeError", f"unsupported operand type for {mark}: '{type_of(value)}'")
