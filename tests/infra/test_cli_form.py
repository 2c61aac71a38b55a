from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.cli_form import written
from tests.root import ROOT


@pytest.mark.parametrize("path", sorted(ROOT.glob("Pulumi*.yaml")), ids=lambda path: path.name)
def test_a_file_is_in_the_form_that_the_cli_writes_so_that_one_setting_is_one_line(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert written(text) == text


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("a: { b: 1 }\n", "a: {b: 1}\n"),
        ("a: {b: 1,c: 2}\n", "a: {b: 1, c: 2}\n"),
        ("a: [ 1,2 ]\n", "a: [1, 2]\n"),
        ("a:\n    b: 1\n", "a:\n  b: 1\n"),
        ("a:\n- b\n", "a:\n  - b\n"),
        ("a:   1\n", "a: 1\n"),
        ("a: 1.0\n", "a: 1\n"),
        ("a: 0.050\n", "a: 0.05\n"),
        ("a: 1\n\nb: 2\n", "a: 1\nb: 2\n"),
        ("a: 1", "a: 1\n"),
        ("# why\na: '0 3 * * 1'\n", "# why\na: '0 3 * * 1'\n"),
        ('a: "0 3 * * 1"\nb: plain text\n', 'a: "0 3 * * 1"\nb: plain text\n'),
    ],
)
def test_what_the_cli_would_change_is_seen(text: str, form: str) -> None:
    assert written(text) == form


def test_a_comment_that_the_cli_may_move_is_seen() -> None:
    assert written("a: 1  # why\n") == "a: 1\n"
