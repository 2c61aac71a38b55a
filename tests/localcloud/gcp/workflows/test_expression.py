"""Expressions of workflows: values, types, errors, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.gcp.workflows.errors import Raised, Undocumented
from localcloud.gcp.workflows.expression import parse
from localcloud.gcp.workflows.library import functions
from localcloud.gcp.workflows.scope import Memory, Scope

FUNCTIONS = functions({"GOOGLE_CLOUD_PROJECT_ID": "p"}, lambda: 1_700_000_000.5)
VARIABLES = {
    "n": None,
    "m": {"a": 1, "b": {"c": [10, 20]}, "x-y": "z", "in": 3},
    "l": [1, "two", None],
    "i": 1,
    "raw": b"hi",
}


def evaluate(text: str) -> Any:
    scope = Scope(FUNCTIONS, Memory())
    for name, value in VARIABLES.items():
        scope.declare(name, value)
    return parse(text, FUNCTIONS).evaluate(scope)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 / 2", 3.5),
        ("7 // 2", 3),
        ("7 % 4", 3),
        ("-3 + 1", -2),
        ("2 - -2", 4),
        ("1.5e2", 150.0),
        ('"a" + "b"', "ab"),
        ("'say \"hi\"'", 'say "hi"'),
        (r'"a\"b\nc"', 'a"b\nc'),
        (r"'it\'s'", "it's"),
        ('"a}b"', "a}b"),
        ("true and not(false)", True),
        ("TRUE or False", True),
        ("not m.a", "TypeError"),
        ("n == null", True),
        ("1 == 1.0", True),
        ("1 == true", False),
        ('1 == "1"', False),
        ("[1, [2]] == [1.0, [2]]", True),
        ("[true] == [1]", False),
        ('"a" < "b" and 2 >= 2', True),
        ('"a" in m', True),
        ('"two" in l and not("three" in l)', True),
        ("true in [1]", False),
        ("m.b.c[1]", 20),
        ('m["x-y"]', "z"),
        ('m["a"] + m.a', 2),
        ("m.in", 3),
        ("l[i]", "two"),
        ("[i, i + 1]", [1, 2]),
        ("1 +\n 2", 3),
        ("sys.now()", 1_700_000_000.5),
        ('sys.get_env("GOOGLE_CLOUD_PROJECT_ID")', "p"),
        ('sys.get_env("OTHER", "none")', "none"),
        ("default(n, 5)", 5),
        ("default(0, 5)", 0),
        ('if(1 == 1, "yes", "no")', "yes"),
        ("get_type(m) + get_type(n) + get_type(1) + get_type(1.0) + get_type(true)", "mapnullintegerdoubleboolean"),
        ('int("7") + int(2.7)', 9),
        ('double("2.5")', 2.5),
        ("string(1) + string(true)", "1true"),
        ("len(l) + len(m.b)", 4),
        ("keys(m.b)", ["c"]),
        ('map.get(m, "none")', None),
        ('map.get(m, ["b", "c"])', [10, 20]),
        ('map.get(m, ["a", "c"])', None),
        ('map.delete(m.b, "c")', {}),
        ("map.merge(m.b, m.b)", {"c": [10, 20]}),
        ("list.concat(list.prepend([2], 1), 3)", [1, 2, 3]),
        ("json.encode_to_string(m.b)", '{"c":[10,20]}'),
        ('json.decode("{\\"a\\": [1]}")', {"a": [1]}),
        ("text.decode(json.encode(1))", "1"),
        ('text.decode(base64.decode(base64.encode(text.encode("ü"))))', "ü"),
        ("text.decode(raw)", "hi"),
        ('text.find_all("abab", "ab")', [0, 2]),
        ('text.replace_all("aXbX", "X", "-")', "a-b-"),
        ('text.split("a/b/c", "/")[2]', "c"),
        ('text.substring("hello", 1, 3)', "el"),
        ('text.to_upper("a") + text.to_lower("B")', "Ab"),
        ('text.url_encode("a b/c")', "a%20b%2Fc"),
        ("time.format(0)", "1970-01-01T00:00:00.000000Z"),
        ('time.parse("1970-01-01T00:01:00Z")', 60.0),
        ("math.max(1, 2) - math.min(1, 2) + math.abs(-3) + math.floor(1.9)", 5),
        ("len(uuid.generate())", 36),
    ],
)
def test_an_expression_has_its_value(text: str, value: object) -> None:
    if value == "TypeError":
        with pytest.raises(Raised) as raised:
            evaluate(text)
        assert raised.value.value["tags"] == ["TypeError"]
    else:
        result = evaluate(text)
        assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ('"a" + 1', "TypeError"),
        ("true + 1", "TypeError"),
        ('1 < "2"', "TypeError"),
        ("n < 1", "TypeError"),
        ("-l", "TypeError"),
        ("1 and true", "TypeError"),
        ("true and 1", "TypeError"),
        ('"a" in n', "TypeError"),
        ('"a" in "abc"', "TypeError"),
        ("n.a", "TypeError"),
        ("l.a", "TypeError"),
        ("l[true]", "TypeError"),
        ("m.none", "KeyError"),
        ('m["none"]', "KeyError"),
        ("l[3]", "IndexError"),
        ("l[-1]", "IndexError"),
        ("1 / 0", "ZeroDivisionError"),
        ("1 % 0", "ZeroDivisionError"),
        ('int("a")', "ValueError"),
        ("int(n)", "TypeError"),
        ('double("a")', "ValueError"),
        ("string(m)", "TypeError"),
        ("len(1)", "TypeError"),
        ("keys(l)", "TypeError"),
        ("if(1, 2, 3)", "TypeError"),
        ('sys.get_env("OTHER")', "KeyError"),
        ('json.decode("{")', "ValueError"),
        ("json.encode_to_string(raw)", "ValueError"),
        ('base64.decode("%")', "ValueError"),
        ('text.decode(base64.decode("/w=="))', "ValueError"),
        ('text.substring("abc", 2, 9)', "IndexError"),
        ('time.parse("yesterday")', "ValueError"),
        ('time.format(0, "Mars")', "ValueError"),
        ('map.delete(m, "none")', "KeyError"),
        ('math.abs("a")', "TypeError"),
        ("list.concat(m, 1)", "TypeError"),
    ],
)
def test_an_error_has_its_tag(text: str, tag: str) -> None:
    with pytest.raises(Raised) as raised:
        evaluate(text)
    assert raised.value.value["tags"] == [tag]
    assert raised.value.value["message"]


def test_and_and_or_look_no_further_than_they_must() -> None:
    assert evaluate('"none" in m and m.none == 1') is False
    assert evaluate('not("none" in m) or m.none == 1') is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("not 1 == 1", "put what follows not in parentheses"),
        ('not "a" in m', "parentheses"),
        ("1 < 2 < 3", "comparisons do not chain"),
        ("1 +", "found the end, where a value"),
        ("(1", "where ) is accepted"),
        ("1 2", "found 2, where the end"),
        ("m.", "found the end, where a name"),
        ("m[1", "] is accepted"),
        ('"a', 'found "'),
        ("a ? b : c", "found ?"),
        ("{}", "found {"),
        ("shutil.rmtree(l)", "shutil.rmtree is not known here; accepted: base64.decode"),
        ("__import__(l)", "__import__ is not known here"),
        ("text.split(l)", "text.split"),
        ("len()", "len"),
        (r'"\q"', "an escape that is not known"),
        ("1" * 401, "401 characters; accepted: 400"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse(text, FUNCTIONS)
    assert expected in str(refused.value)


@pytest.mark.parametrize("text", ["-7 // 2", "7 % (0 - 2)"])
def test_rounding_that_is_not_documented_is_not_guessed(text: str) -> None:
    with pytest.raises(Undocumented, match="negative"):
        evaluate(text)


def test_the_variables_that_it_reads_are_known() -> None:
    result = parse('m.b[i] + default(x, "n") + len(l)', FUNCTIONS)
    assert result.names == {"m", "i", "x", "l"}


numbers = st.integers(0, 99).map(str)
sums = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(" ".join), inner.map(lambda text: f"({text})")
    ),
    max_leaves=12,
)


@given(st.tuples(sums, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), sums).map(" ".join))
def test_arithmetic_binds_as_everywhere(text: str) -> None:
    assert evaluate(text) == eval(text)  # noqa: S307 - digits and operators


@given(st.text(alphabet="amnl10+-*/%<>=!()[],.\"' \\notrudi", max_size=30))
def test_any_text_is_an_expression_or_is_refused(text: str) -> None:
    try:
        result = parse(text, FUNCTIONS)
    except ValueError:
        return
    assert all(name in text for name in result.names)
