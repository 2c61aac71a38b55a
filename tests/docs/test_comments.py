"""The comments of docs/pull-requests.md are those that the four changes get, and the pictures are of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.docs import pictures
from tests.docs.comments import FOLDER, SETTING, comments
from tests.root import ROOT

WRITE = "`.venv/bin/python -m tests.docs.comments` writes them anew"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    return dict(comments(tmp_path_factory.mktemp("comments")))


@pytest.mark.parametrize("name", SETTING)
def test_a_comment_of_the_docs_is_the_one_that_its_change_gets(made: Mapping[str, str], name: str) -> None:
    assert made[name] == (FOLDER / f"{name}.md").read_text(encoding="utf-8"), WRITE


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("memory", r"\+0 ~1 -0, USD/month [\d.]+ -> [\d.]+, [\d.]+ -> [\d.]+ gCO2e/month \([\d.]+-[\d,]+\), limits"),
        ("profile", r"\+3 ~1 -0, USD/month [\d.]+ -> [\d.]+, "),
        ("region", r"<code>aws&#58;region</code> <code>eu-west-1</code> -> <code>eu-north-1</code>, \+0 ~9 -0, USD"),
        ("grant", r"\+0 ~1 -0, USD/month [\d.]+, [\d.]+ gCO2e/month"),
    ],
    ids=SETTING,
)
def test_the_first_line_says_what_a_change_does(made: Mapping[str, str], name: str, first: str) -> None:
    assert re.match(rf"\*\*prod\*\*: {first}", made[name])
    assert "replac" not in made[name].lower()


@pytest.mark.parametrize("name", SETTING)
def test_a_picture_is_drawn_from_the_comment_beside_it(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert pictures.drawn_from((FOLDER / f"{name}.png").read_bytes()) == pictures.digest(text), WRITE


def test_a_picture_of_another_text_is_seen(tmp_path: Path) -> None:
    picture = (FOLDER / "grant.png").read_bytes()
    text = (FOLDER / "grant.md").read_text(encoding="utf-8")
    assert pictures.drawn_from(picture) != pictures.digest(f"{text}\n")
    assert pictures.drawn_from(picture.replace(pictures.KEY, b"something-else!")) is None


def test_the_page_shows_every_comment() -> None:
    page = (ROOT / "docs" / "pull-requests.md").read_text(encoding="utf-8")
    assert re.findall(r"!\[[^]]+\]\(pull-requests/(\w+)\.png\)", page) == list(SETTING)
    assert {path.stem for path in FOLDER.iterdir()} == set(SETTING)
