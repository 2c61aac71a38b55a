"""`dataclass(frozen=True, kw_only=True)`, for what is imported on the way to a first answer.

The standard one writes and compiles source for every class, half a millisecond each; fifteen of
them were a tenth of the way of the predict function. Here a class gets functions that exist
already. Whoever looks for fields (`dataclasses.replace` and `asdict`, pydantic) finds the
standard ones, made when they are first looked for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from dataclasses import dataclass, replace
    from typing import Any
else:

    def dataclass(*, frozen: bool, kw_only: bool) -> Callable[[type], type]:
        """Both must be True, a default a value that does not change (no `field`), and no base may have fields.

        A method that is given here, and `__post_init__`, the class must not have. Else it is a `TypeError`.
        """
        if not (frozen and kw_only):
            raise TypeError("accepted: dataclass(frozen=True, kw_only=True)")
        return _made

    def replace(made: Any, /, **changes: Any) -> Any:
        """One like it, but for some fields."""
        return type(made)(**{**vars(made), **changes})


def _made(kind: Any) -> Any:
    members = vars(kind)
    names = tuple(name for name, annotation in members["__annotations__"].items() if "ClassVar" not in annotation)
    defaults = {name: members[name] for name in names if name in members}
    known = frozenset(names)
    needed = known - defaults.keys()

    def __init__(self: Any, **given: Any) -> None:
        if not needed <= given.keys() <= known:
            raise TypeError(_complaint(kind, sorted(needed - given.keys()), sorted(given.keys() - known)))
        vars(self).update(defaults)
        vars(self).update(given)

    own: dict[str, Any] = {"__init__": __init__, "_names": names, "__dataclass_fields__": _Fields()}
    own |= {"__eq__": _equal, "__hash__": _hash, "__repr__": _shown, "__setattr__": _frozen, "__delattr__": _frozen}
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
    # __eq__ is before __hash__, which Python itself then sets to None.
    yield from (f"has its own {name}, which would be overwritten" for name in own if name in members)
    for name, default in defaults.items():
        made = type(default)  # A read-only view is fine, though Python 3.11 knows no hash of it.
        if made.__module__ == "dataclasses" or (made.__hash__ is None and made is not type(members)):
            yield f"has a {made.__name__} as the default of {name}; accepted: a value that does not change"


class _Fields:
    """The standard fields, made when somebody asks for them."""

    def __get__(self, _: object, kind: Any) -> dict[str, Any]:
        import dataclasses  # noqa: PLC0415 - a first answer does without it

        shared = {name: vars(kind)[name] for name in ("__annotations__", "__module__")}
        shared |= {name: vars(kind)[name] for name in kind.__annotations__ if name in vars(kind)}
        made: Any = dataclasses.dataclass(frozen=True, kw_only=True)(type(kind.__name__, (), shared))
        kind.__dataclass_fields__ = made.__dataclass_fields__
        return kind.__dataclass_fields__


def _equal(self: Any, other: object) -> bool:
    return vars(self) == vars(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: Any) -> int:
    return hash(tuple(vars(self)[name] for name in self._names))


def _shown(self: Any) -> str:
    return f"{type(self).__qualname__}({', '.join(f'{name}={vars(self)[name]!r}' for name in self._names)})"


def _frozen(self: Any, name: str, *_: object) -> None:
    raise AttributeError(f"{name} of a {type(self).__name__} does not change")


def _complaint(kind: Any, missing: list[str], unknown: list[str]) -> str:
    said = [f"needs {', '.join(missing)}"] if missing else []
    said += [f"has no {', '.join(unknown)}"] if unknown else []
    return f"{kind.__name__} {' and '.join(said)}"
