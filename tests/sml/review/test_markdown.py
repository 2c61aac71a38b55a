from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sml.review.difference import Resource
from sml.review.markdown import LONGEST, comment, escaped, marker
from sml.review.report import Report, Section, Table, Words, cell
from sml.review.resources import resource_sections
from sml.review.text import text
from tests.sml.review.made import changed, difference

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
TAGS = {
    "p",
    "strong",
    "code",
    "details",
    "summary",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "br",
    "ul",
    "li",
    "sub",
}
HOSTILE = (
    "<script>alert(1)</script>",
    "a | b || c",
    "`code` ``` and `more",
    "@everybody and a@b.org",
    "![x](http://x/y.png) [y](javascript:z)",
    "*a* _b_ ~~c~~ #1 **d**",
    "<!-- --> &lt; &amp; &#64;",
    "\\| \\` \\",
    "one\ntwo\r\n\n# three\n- four\n> five",
    "www.example.org https://example.org",
    "</code></td></table></details>",
    "\u202eabc\u2066 \x1b[31m",
    "$a$ {{ b }} ${{ c }} :tada: ^d^",
)


class Seen(HTMLParser):
    """The tags of a page, and the text of the cells' code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.cells, self._within = set[str](), list[object](), list[str](), list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self._within.append(tag)
        if tag == "code" and "td" in self._within:
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._within[-1:] == ["code"] and "td" in self._within:
            self.cells[-1] += data


def report(found: str, stack: str = "prod") -> Report:
    table = Table(columns=(Words("a"), Words("b")), rows=((cell(found), cell(found, Words(" -> "), found)),))
    sections = (Section(title=Words("One"), lines=((found,),), table=table), Section(title=Words("Two"), table=table))
    return Report(stack=stack, first=(Words("a "), found), changed=True, sections=sections, footer=((found,),))


def plain(found: str) -> str:
    """What a reader is to see of a text: all of it, on one line."""
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(found.split()))
    return line.replace("@", "@\u200b")


@pytest.mark.parametrize("found", HOSTILE)
def test_whatever_somebody_wrote_is_shown_as_it_stands(found: str) -> None:
    seen = Seen(MARKDOWN.render(comment(report(found))))
    assert seen.tags <= TAGS
    assert seen.attributes == []
    assert seen.cells == [plain(found)] * 6


@settings(max_examples=40)
@given(st.text(min_size=1, max_size=40).filter(lambda found: plain(found) != ""))
def test_any_text_is_shown_as_it_stands(found: str) -> None:
    seen = Seen(MARKDOWN.render(comment(report(found))))
    assert seen.tags <= TAGS
    assert seen.cells == [plain(found)] * 6


@pytest.mark.parametrize("found", ["a | b", "<b>c</b>", "</code>", "`d` e", "@f"])
def test_a_text_that_nobody_escaped_would_be_seen(found: str) -> None:
    """Or the two tests above could not fail."""
    seen = Seen(MARKDOWN.render(comment(report("PLACE")).replace("PLACE", found)))
    assert not seen.tags <= TAGS or seen.cells != [plain(found)] * 6


def test_nobody_is_mentioned_and_no_address_becomes_a_link() -> None:
    assert escaped("@octocat") == "@&#8203;octocat"
    assert "https:" not in escaped("https://example.org")
    assert "www." not in escaped("www.example.org")


def test_the_stack_in_the_first_line_is_escaped_and_the_marker_ends_the_comment() -> None:
    shown = comment(report("x", stack="my_first_stack"))
    assert shown.startswith("**my&#95;first&#95;stack**: a <code>x</code>\n")
    assert shown.endswith("<!-- serverless-ml review of my_first_stack -->\n")


def many(count: int) -> Report:
    resources = [
        Resource(
            urn=f"urn:{number}", type="cloud:a/b:Thing", name=f"thing-{number}", component=f"Part {number}", inputs={}
        )
        for number in range(count)
    ]
    edited = [changed(one, {"a": "x" * 300}, {"a": "y" * 300 + one.name}) for one in resources]
    found = difference(added=resources, changed=edited, removed=resources)
    return Report(stack="prod", first=(Words(found.totals),), changed=True, sections=tuple(resource_sections(found)))


def test_a_comment_is_never_longer_than_is_taken_and_keeps_its_totals() -> None:
    shown = comment(many(1200))
    assert len(shown) <= LONGEST
    assert shown.startswith("**prod**: +1200 ~1200 -1200\n")
    for title in ("Changed: 1,200 resources", "Added: 1,200 resources", "Removed: 1,200 resources"):
        assert title in shown
    assert "more rows, which `sml review --text` prints" in shown
    assert shown.rstrip().endswith(marker("prod"))
    assert len(comment(many(20))) > len(comment(many(10)))
    assert "more rows" not in comment(many(20))


def test_a_first_line_beyond_all_bounds_is_cut() -> None:
    shown = comment(Report(stack="prod", first=("x" * 100_000,), changed=True))
    assert len(shown) == LONGEST
    assert shown.rstrip().endswith(marker("prod"))


def test_a_terminal_gets_every_row_and_nothing_that_does_something_to_it() -> None:
    shown = text(many(1200))
    assert shown.count("\n") > 2400
    assert "thing-1199" in shown
    assert "\x1b" not in text(report("\x1b[31mred"))
    assert "<code>" not in text(report("x"))
