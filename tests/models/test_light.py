from __future__ import annotations

import copy
import dataclasses
import subprocess
import sys
from types import MappingProxyType
from typing import Any, ClassVar

import pytest
from pydantic import TypeAdapter, ValidationError

from models.light import dataclass, replace
from tests.root import ROOT


@dataclass(frozen=True, kw_only=True)
class Light:
    name: str
    size: int = 1
    parts: tuple[Light, ...] = ()
    LIMIT: ClassVar[int] = 9

    @property
    def doubled(self) -> int:
        return 2 * self.size


@dataclasses.dataclass(frozen=True, kw_only=True)
class Standard:
    name: str
    size: int = 1
    parts: tuple[Standard, ...] = ()
    LIMIT: ClassVar[int] = 9


both = pytest.mark.parametrize("kind", [Light, Standard])


@both
def test_it_has_its_values_and_its_defaults(kind: type) -> None:
    instance = kind(name="a")
    assert (instance.name, instance.size, instance.parts, instance.LIMIT) == ("a", 1, (), 9)
    assert repr(instance) == f"{kind.__name__}(name='a', size=1, parts=())"


@both
def test_equal_values_are_equal_and_of_one_hash(kind: type) -> None:
    assert kind(name="a", size=2) == kind(size=2, name="a")
    assert kind(name="a") != kind(name="b")
    assert len({kind(name="a"), kind(name="a", size=1)}) == 1


def test_values_of_different_kinds_are_not_equal() -> None:
    assert Light(name="a") != Standard(name="a")


@both
@pytest.mark.parametrize("values", [{}, {"name": "a", "colour": 1}, {"size": 1}])
def test_what_is_missing_or_unknown_is_a_type_error(kind: type, values: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        kind(**values)


@both
def test_nothing_changes_in_it(kind: type) -> None:
    instance = kind(name="a")
    with pytest.raises(AttributeError):
        instance.name = "b"
    with pytest.raises(AttributeError):
        del instance.name
    assert instance.name == "a"


@both
def test_the_standard_librarys_functions_know_it(kind: type) -> None:
    instance = kind(name="a", parts=(kind(name="b"),))
    assert dataclasses.is_dataclass(instance)
    assert [field.name for field in dataclasses.fields(instance)] == ["name", "size", "parts"]
    assert dataclasses.asdict(instance) == {"name": "a", "size": 1, "parts": ({"name": "b", "size": 1, "parts": ()},)}
    assert dataclasses.replace(instance, size=3) == kind(name="a", size=3, parts=(kind(name="b"),))
    assert copy.deepcopy(instance) == instance


@both
def test_pydantic_checks_it(kind: type) -> None:
    adapter = TypeAdapter(kind)
    assert adapter.validate_python({"name": "a", "size": 2}) == kind(name="a", size=2)
    with pytest.raises(ValidationError, match="size"):
        adapter.validate_python({"name": "a", "size": "large"})


def test_a_copy_has_some_fields_changed() -> None:
    instance = Light(name="a", parts=(Light(name="b"),))
    assert replace(instance, size=3) == Light(name="a", size=3, parts=(Light(name="b"),))
    with pytest.raises(TypeError, match="has no colour"):
        replace(instance, colour=1)


def test_a_class_that_needs_more_is_refused() -> None:
    class Checked:
        name: str

        def __post_init__(self) -> None: ...

    with pytest.raises(TypeError, match="Checked has a __post_init__"):
        dataclass(frozen=True, kw_only=True)(Checked)
    with pytest.raises(TypeError, match="accepted: dataclass"):
        dataclass(frozen=False, kw_only=True)


made_light = dataclass(frozen=True, kw_only=True)


@pytest.mark.parametrize("default", [[], {}, set(), bytearray(), dataclasses.field(default=1)])
def test_a_default_that_could_change_or_is_a_field_is_refused(default: Any) -> None:
    members = {"__annotations__": {"parts": "Any"}, "parts": default}
    with pytest.raises(TypeError, match=f"Loose has a {type(default).__name__} as the default of parts; accepted: "):
        made_light(type("Loose", (), members))


@pytest.mark.parametrize("default", [(), None, frozenset(), MappingProxyType({}), int])
def test_a_default_that_does_not_change_is_taken(default: Any) -> None:
    members = {"__annotations__": {"parts": "Any"}, "parts": default}
    assert made_light(type("Firm", (), members))().parts is default


@pytest.mark.parametrize("name", ["__init__", "__eq__", "__hash__", "__repr__", "__setattr__", "__delattr__"])
def test_a_method_of_its_own_is_refused_by_name_and_not_overwritten(name: str) -> None:
    def method(self: object, *_: object) -> None: ...

    kind = type("Own", (), {"__annotations__": {"size": "int"}, name: method})
    with pytest.raises(TypeError, match=f"Own has its own {name}, which would be overwritten"):
        made_light(kind)
    assert vars(kind)[name] is method


@pytest.mark.parametrize("parent", [Light, Standard, type("Between", (Light,), {})])
def test_a_class_whose_parent_has_fields_is_refused(parent: type) -> None:
    kind = type("Child", (parent,), {"__annotations__": {"colour": "str"}})
    with pytest.raises(TypeError, match=r"Child has the base (Light|Standard), whose fields would be lost"):
        made_light(kind)


@pytest.mark.integration
def test_to_be_made_it_needs_no_standard_dataclass() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    code += "from models.feature import Feature; Feature(name='a'); print('dataclasses' in sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
