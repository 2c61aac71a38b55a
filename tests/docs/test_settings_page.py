"""The column "accepted" of docs/settings.md says what the settings and the limits of the clouds accept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, get_args, get_origin

import pytest

from infra import clouds
from infra.accepted import Kind, below
from infra.limits import LIMITS, verdicts
from infra.settings import Settings
from tests.root import ROOT

CELLS = {
    key: cell.replace("`", "")
    for key, cell in re.findall(
        r"^\| `([^`]+)` \| ([^|]+) \|", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.MULTILINE
    )
}
ABOVE = {f"scaling.models.<name>.{key}": f"scaling.{key}" for key in ("profile", "hours.opens", "hours.closes")}


def leaves(options: Sequence[Kind], path: str = "") -> Iterator[tuple[str, Kind]]:
    """Yield each setting with its type, under the name that it has in the page's table."""
    for kind in options:
        if kind.section is None:
            if path in CELLS:
                yield path, kind
            continue
        for name in kind.section.model_fields:
            inside, key = below([kind], name), f"{path}.{name}".removeprefix(".")
            for option in inside:
                if get_origin(option.type) is tuple:
                    yield from leaves(below([option], 0), key)
                elif option.section is None and get_origin(option.type) is not Literal and get_args(option.type):
                    yield from leaves(below([option], "any"), f"{key}.<name>")
                else:
                    yield from leaves([option], re.sub(r"^functions\.\w+", "functions.<name>", key))


LEAVES = dict(leaves([Kind(type=Settings)]))


def test_the_settings_of_the_table_are_known_by_their_types() -> None:
    """All but the one of which each kind has settings of its own."""
    assert set(CELLS) - set(LEAVES) == {"api.auth"}


@pytest.mark.parametrize("key", LEAVES)
def test_the_page_says_what_a_setting_accepts(key: str) -> None:
    cell, kind = CELLS[key], LEAVES[key]
    if cell.startswith("as above"):
        cell = CELLS[ABOVE[key]]
    if get_origin(kind.type) is Literal or kind.type is bool:
        # A profile is one of several, each with settings of its own.
        assert kind.words() in cell if key.endswith(".profile") else cell.startswith(kind.words())
        return
    bounds = re.search(r"[\d.,]+ to [\d,]+", kind.words())
    assert bounds is None or bounds[0] in cell
    assert (
        bounds is not None
        or key in ("cloud", "models", "api.cors.origins", "jobs.webhook.url")
        or cell.startswith(kind.words())
        or "five cron fields, UTC" in cell
    )


def narrower(cloud: str) -> Iterator[tuple[str, str]]:
    """Yield each setting of which a cloud accepts less, with the figure or the value at which it ends."""
    settings = Settings.parse({"cloud": cloud, "models": ["breast_cancer"]}, where="")
    for verdict in verdicts(settings, {}):
        key = re.sub(r"^functions\.\w+", "functions.<name>", verdict.where.partition(",")[0])
        # How many models there may be depends on their names, too: docs/clouds.md.
        if key not in LEAVES or key == "models":
            continue
        own = re.search(r"([\d,]+) to ([\d,]+)", LEAVES[key].words())
        least, most = (
            re.search(r"at least ([\d,]+)|^([\d,]+) to", verdict.bound),
            re.search(r"(?:at most|to) ([\d,]+)", verdict.bound),
        )
        if least and own and number(least[1] or least[2]) > number(own[1]):
            yield key, least[1] or least[2]
        if most and (own is None or number(most[1]) < number(own[2])):
            yield key, most[1]
        if not least and not most and verdict.bound != LEAVES[key].words().removesuffix(", host"):
            yield key, verdict.bound


def number(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.mark.parametrize("cloud", clouds.names())
def test_the_page_says_what_a_cloud_accepts_less_of(cloud: str) -> None:
    found = dict.fromkeys(narrower(cloud))
    assert found
    for key, bound in found:
        part = CELLS[key].partition(cloud.upper())
        assert part[1], f"{key}: {cloud.upper()} is not named"
        said = "none" if bound == "0" else bound
        assert re.search(rf"(?<![\d,]){said}(?![\d,]*\d)", CELLS[key]), f"{key}: {said} is not said"


def test_the_bounds_that_only_one_cloud_has_are_among_them() -> None:
    assert {
        ("api.cors.origins", "0"),
        ("jobs.attempts", str(LIMITS["gcp"].attempts[0])),
        ("runtime.architecture", "x86_64"),
        ("functions.<name>.timeout_seconds", "600"),
    } <= set(narrower("gcp"))
    assert {("functions.<name>.concurrency", "2"), ("functions.<name>.timeout_seconds", "29")} <= set(narrower("aws"))
