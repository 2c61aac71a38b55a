from __future__ import annotations

import pytest

from functions.core.dataset.number_style import PLAIN, NumberStyle, style_of


@pytest.mark.parametrize(
    ("texts", "style"),
    [
        (["1,5", "2"], NumberStyle(",", "")),
        (["0,125"], NumberStyle(",", "")),
        ([",5"], NumberStyle(",", "")),
        (["1.234,5"], NumberStyle(",", ".")),
        (["1.234.567"], NumberStyle(",", ".")),
        (["1,234.5"], NumberStyle(".", ",")),
        (["1,234,567", "1,234"], NumberStyle(".", ",")),
        (["1 234,5"], NumberStyle(",", " ")),
        (["1\u202f234", "1,5"], NumberStyle(",", " ")),
        (["1'234.50"], NumberStyle(".", "'")),
        (["1,234"], PLAIN),
        (["1,234", "12,345"], PLAIN),
        (["1,5", "1,234.5"], PLAIN),
        (["abc", ""], PLAIN),
    ],
)
def test_a_style_is_taken_where_nothing_else_explains_the_numbers(texts: list[str], style: NumberStyle) -> None:
    assert style_of(texts) == style


@pytest.mark.parametrize(
    ("style", "text", "plain"),
    [
        (PLAIN, "1.5", "1.5"),
        (PLAIN, "1,234", None),
        (PLAIN, "1,5", None),
        (PLAIN, "a,b", "a,b"),
        (NumberStyle(",", ""), "1,5", "1.5"),
        (NumberStyle(",", ""), "1,234", "1.234"),
        (NumberStyle(",", ""), "-1,5e3", "-1.5e3"),
        (NumberStyle(",", ""), "12", "12"),
        (NumberStyle(",", ""), "1.5", None),
        (NumberStyle(",", "."), "1.234", "1234"),
        (NumberStyle(",", "."), "1.234,5", "1234.5"),
        (NumberStyle(".", ","), "1,234", "1234"),
        (NumberStyle(".", ","), "1,5", None),
        (NumberStyle(".", "'"), "1'234.5", "1234.5"),
        (NumberStyle(",", " "), "1\u00a0234,5", "1234.5"),
    ],
)
def test_a_number_is_written_plainly_or_not_at_all(style: NumberStyle, text: str, plain: str | None) -> None:
    assert style.plain(text) == plain
