"""What docs/carbon-aware-training.md shows is what the code reads and says."""

from __future__ import annotations

import re

from functions.core.dataset.forecast import parse
from functions.core.dataset.hold import Hold
from functions.core.storage.objects import Objects
from interface.window import Window
from sml import sentences
from tests.docs.page import every_block
from tests.root import ROOT

PAGE = ROOT / "docs" / "carbon-aware-training.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = [block.text for block in every_block("text") if block.page == PAGE.relative_to(ROOT).as_posix()]


def test_the_forecasts_of_the_page_are_read_and_are_the_same() -> None:
    forecasts = [parse(block.encode()) for block in BLOCKS if block.startswith(("[", "from,"))]
    assert len(forecasts) == 2
    assert forecasts[0].parts == forecasts[1].parts
    assert [part.grams for part in forecasts[0].parts] == [310, 142.5]


def test_what_commands_say_of_a_training_that_waits_is_what_the_page_shows() -> None:
    reason = "142 gCO2e/kWh against 310 at once, by the forecast of api.carbonintensity.org.uk"
    schedule = {"slot": "2026-12-05T02:00:00+00:00", "deadline": "2026-12-05T06:00:00+00:00", "reason": reason}
    shown = " ".join(next(block for block in BLOCKS if " waits " in block).split())
    assert shown == f"breast_cancer waits {sentences.scheduled(schedule)}; `sml retrain breast_cancer` begins at once"


def test_the_page_names_what_a_record_has() -> None:
    window = Window(deadline_seconds=1, run_seconds=1, between="22:00-06:00")
    document = Hold(window=window, data=Objects.in_memory()).decide("a", None).document
    table = TEXT.partition("under `schedule`:")[2].partition("The figures are")[0]
    named = [name for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(document)
