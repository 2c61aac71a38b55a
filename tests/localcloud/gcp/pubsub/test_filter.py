"""The filter language of subscriptions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.gcp.pubsub.filter import parse


@pytest.mark.parametrize(
    ("text", "attributes", "passes"),
    [
        ("", {}, True),
        ('attributes.eventType = "OBJECT_FINALIZE"', {"eventType": "OBJECT_FINALIZE"}, True),
        ('attributes.eventType="OBJECT_FINALIZE"', {"eventType": "OBJECT_DELETE"}, False),
        ('attributes.eventType = "x"', {}, False),
        ("attributes:color", {"color": ""}, True),
        ("attributes:color", {"colour": "red"}, False),
        ('hasPrefix(attributes.objectId, "data/")', {"objectId": "data/x.csv"}, True),
        ('hasPrefix(attributes.objectId, "data/")', {"objectId": "models/x"}, False),
        ('hasPrefix(attributes.objectId, "")', {}, False),
        ('NOT attributes.a = "1"', {}, True),
        ('attributes.a = "1" AND attributes.b = "2" AND attributes:c', {"a": "1", "b": "2", "c": "3"}, True),
        ('attributes.a = "1" AND attributes.b = "2"', {"a": "1"}, False),
        ('attributes.a = "1" OR attributes.b = "2"', {"b": "2"}, True),
        ('(attributes.a = "1" OR attributes.a = "2") AND NOT attributes:b', {"a": "2"}, True),
        ('(attributes.a = "1" OR attributes.a = "2") AND NOT attributes:b', {"a": "2", "b": ""}, False),
        ('attributes.my-key_2 = "x"', {"my-key_2": "x"}, True),
        ('attributes."iana.org/language" = "en"', {"iana.org/language": "en"}, True),
        (r'attributes.a = "say \"hi\""', {"a": 'say "hi"'}, True),
        ('attributes."AND" = "OR"', {"AND": "OR"}, True),
    ],
)
def test_a_message_passes_as_documented(text: str, attributes: dict[str, str], passes: bool) -> None:
    assert parse(text)(attributes) is passes


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ('attributes.a != "1"', "character 14: found !="),
        ('attributes.a = "1" and attributes.b = "2"', "found and, where the end"),
        ('attributes.a = "1" AND attributes.b = "2" OR attributes:c', "mixed only with parentheses"),
        ('hasSuffix(attributes.a, "x")', "found hasSuffix"),
        ('data = "x"', "found data"),
        ("attributes.a = 1", "quotes"),
        ("attributes.a", "found the end, where ="),
        ('(attributes.a = "1"', "found the end, where )"),
        ('attributes.a = "1" attributes:b', "where the end"),
        ("attributes.a = 'x'", "found '"),
        ("NOT", "found the end"),
        (f'attributes.a = "{"x" * 256}"', "accepted: 256"),
    ],
)
def test_what_is_not_in_the_grammar_is_refused_with_its_position(text: str, position: str) -> None:
    with pytest.raises(ValueError, match="filter") as refused:
        parse(text)
    assert position in str(refused.value)


@given(st.text(alphabet='atribues.:="() ANDORTx', max_size=40))
def test_any_text_is_a_filter_or_is_refused(text: str) -> None:
    try:
        matches = parse(text)
    except ValueError:
        return
    assert matches({"x": "x"}) in (True, False)
