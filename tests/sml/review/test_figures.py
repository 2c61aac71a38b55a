from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from sml.review.figures import Figures
from sml.review.report import Line, Section


def preview() -> dict[str, Any]:
    return {
        "format": 1,
        "config": {"cloud:region": "here"},
        "settings": {"log_days": 30},
        "limits": {
            "read_on": "2026-11-29",
            "verdicts": [
                {"where": "models", "what": "characters", "value": 1000, "accepted": "at most 2,048", "kept": True},
                {"where": "models", "what": "characters", "value": 1200, "accepted": "at most 2,048", "kept": True},
            ],
        },
        "archives": {"predict": {"bytes": 16_350_000, "unpacked_bytes": 43_530_000, "sha256": "a"}},
        "quotas": [{"name": "Concurrency", "unit": "copies", "wanted": 331.0, "usual": 10.0, "suffices": False}],
    }


def changed(path: str, value: Any) -> Figures:
    """Figures whose head has another value at a path."""
    head = deepcopy(preview())
    *keys, last = path.split(".")
    place: Any = head
    for key in keys:
        place = place[int(key) if key.isdigit() else key]
    place[last] = value
    return Figures(base=preview(), head=head)


def told(sections: list[Section]) -> list[str]:
    def words(line: Line) -> str:
        return "".join(line)

    return [
        f"{section.title}: {' | '.join(words(line) for cell in row for line in cell)}"
        for section in sections
        for row in (section.table.rows if section.table else [(section.lines,)])
    ]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("settings.log_days", 7, "Settings: log_days 30 -> 7"),
        ("config.cloud:region", "there", "Settings: cloud:region here -> there"),
        ("limits.verdicts.1.value", 1300, "Limits: models: characters | 1,200 -> 1,300 | at most 2,048"),
        (
            "archives.predict",
            {"bytes": 17_000_000, "unpacked_bytes": 43_530_000, "sha256": "b"},
            "Sizes of archives: predict | 16.35 MB, 43.53 unpacked -> 17.00 MB, 43.53 unpacked | ",
        ),
        (
            "quotas.0.wanted",
            400.5,
            "Quotas that a new account may lack: Concurrency | 331 copies -> 400.5 copies | 10 usual",
        ),
    ],
)
def test_a_figure_that_differs_is_told_and_no_other(path: str, value: Any, expected: str) -> None:
    figures = changed(path, value)
    assert figures.differ
    assert told([*figures.settings(), *figures.sections()]) == [expected]


@pytest.mark.parametrize("path", ["limits.read_on", "format"])
def test_the_day_on_which_something_was_read_is_no_difference(path: str) -> None:
    assert not changed(path, "2026-12-24").differ


def test_another_region_is_another_place_and_a_setting_is_not() -> None:
    assert [edit.path for edit in changed("config.cloud:region", "there").moved] == ["cloud:region"]
    assert changed("settings.log_days", 7).moved == ()


def test_the_first_line_counts_what_is_kept_and_what_is_to_be_asked_for() -> None:
    assert list(changed("limits.verdicts.0.kept", False).first()) == ["limits 1/2", "quotas to ask for 1"]
    assert list(Figures(base={}, head={}).first()) == []


def test_a_side_that_tells_nothing_is_compared_with_nothing() -> None:
    alone = Figures(base={}, head=preview())
    assert not alone.differ
    assert list(alone.settings()) == []
