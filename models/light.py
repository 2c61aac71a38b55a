"""A light `dataclass(frozen=True, kw_only=True)`, for modules that every cold start imports.

The standard one generates and compiles source for every class, half a millisecond each; for
fifteen classes that was a tenth of the predict function's cold start. This one gives every
class the same ready-made functions. `dataclasses.replace` and `asdict`, and pydantic, find the
standard fields, which are made when they are first asked for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from dataclasses import dataclass, replace
    from typing import Any
else:

    def dataclass(*, frozen: bool, kw_only: bool) -> Callable[[type], type]:
        """Return a decorator that makes a class a frozen dataclass with keyword arguments only.

        Raises `TypeError` unless both arguments are True, and when the class has mutable defaults
        (or `field`), a base with fields, `__post_init__`, or a method that the decorator sets.
        """
        if not (frozen and kw_only):
            raise TypeError("accepted: dataclass(frozen=True, kw_only=True)")
        return _dataclass

    def replace(instance: Any, /, **changes: Any) -> Any:
        """Return a copy with some fields changed."""
        return type(instance)(**{**vars(instance), **changes})


def _dataclass(kind: Any) -> Any:
    members = vars(kind)
    names = tuple(name for name, annotation in members["__annotations__"].items() if "ClassVar" not in annotation)
    defaults = {name: members[name] for name in names if name in members}
    known = frozenset(names)
    needed = known - defaults.keys()

    def __init__(self: Any, **values: Any) -> None:
        if not needed <= values.keys() <= known:
            raise TypeError(_complaint(kind, sorted(needed - values.keys()), sorted(values.keys() - known)))
        vars(self).update(defaults)
        vars(self).update(values)

    own: dict[str, Any] = {"__init__": __init__, "_names": names, "__dataclass_fields__": _Fields()}
    own |= {"__eq__": _equal, "__hash__": _hash, "__repr__": _repr, "__setattr__": _frozen, "__delattr__": _frozen}
    for wrong in _wrong(kind, own, defaults):
        raise TypeError(f"{kind.__name__} {wrong}")
    for name, member in own.items():
        setattr(kind, name, member)
    return kind


def _wrong(kind: Any, own: Iterable[str], defaults: Mapping[str, Any]) -> Iterator[str]:
    if "__post_init__" in (members := vars(kind)):
        yield "has a __post_init__, which only the standard dataclass calls"
    bases = (base.__name__ for base in kind.__mro__[1:] if "__dataclass_fields__" in vars(base))
    yield from (f"has the base {base}, whose fields would be lost" for base in bases)
    # __eq__ comes first: Python sets __hash__ of a class with its own __eq__ to None.
    yield from (f"has its own {name}, which would be overwritten" for name in own if name in members)
    for name, default in defaults.items():
        default_type = type(default)  # A read-only view is fine, although Python 3.11 cannot hash it.
        if default_type.__module__ == "dataclasses" or (
            default_type.__hash__ is None and default_type is not type(members)
        ):
            yield f"has a {default_type.__name__} as the default of {name}; accepted: a value that does not change"


class _Fields:
    """A descriptor that makes the standard fields on first access."""

    def __get__(self, _: object, kind: Any) -> dict[str, Any]:
        import dataclasses  # noqa: PLC0415 - no cold start needs it

        shared = {name: vars(kind)[name] for name in ("__annotations__", "__module__")}
        shared |= {name: vars(kind)[name] for name in kind.__annotations__ if name in vars(kind)}
        standard: Any = dataclasses.dataclass(frozen=True, kw_only=True)(type(kind.__name__, (), shared))
        kind.__dataclass_fields__ = standard.__dataclass_fields__
        return kind.__dataclass_fields__


def _equal(self: Any, other: object) -> bool:
    return vars(self) == vars(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: Any) -> int:
    return hash(tuple(vars(self)[name] for name in self._names))


def _repr(self: Any) -> str:
    return f"{type(self).__qualname__}({', '.join(f'{name}={vars(self)[name]!r}' for name in self._names)})"


def _frozen(self: Any, name: str, *_: object) -> None:
    raise AttributeError(f"{name} of a {type(self).__name__} does not change")


def _complaint(kind: Any, missing: list[str], unknown: list[str]) -> str:
    faults = [f"needs {', '.join(missing)}"] if missing else []
    faults += [f"has no {', '.join(unknown)}"] if unknown else []
    return f"{kind.__name__} {' and '.join(faults)}"
