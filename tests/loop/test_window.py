"""A training of the schedule waits for its slot, and begins in it, on every cloud."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from interface.window import Window
from localcloud.commands.watch import Watch
from tests.loop.running import MODEL, SECONDS, Running, csv_of, rows

WAIT = timedelta(seconds=4)
SHORT = Window(deadline_seconds=WAIT.total_seconds(), run_seconds=60, forecast="forecast.json")


def falling(hours: int = 3) -> bytes:
    """Return a forecast that falls from minute to minute: whenever it is read, the last slot is the best one."""
    begin = datetime.now(UTC).replace(second=0, microsecond=0)
    minutes = [(begin + timedelta(minutes=place)).isoformat() for place in range(hours * 60 + 1)]
    return json.dumps(
        [
            {"from": one, "to": other, "grams_per_kwh": 1900 - 10 * place}
            for place, (one, other) in enumerate(pairwise(minutes))
        ]
    ).encode()


def test_a_training_of_the_schedule_begins_in_its_slot_and_its_record_says_why(running: Running) -> None:
    watch, began = Watch(running.models, MODEL), time.time()
    with running.unannounced(SHORT):
        running.data.put(f"{MODEL}/incoming/window.csv", csv_of(rows(35, 300)))
        running.data.put(f"{MODEL}/forecast.json", falling())
        assert running.sml("retrain", MODEL, "--window").code == 0
        record = running.reached(watch.new_run(SECONDS), "training")
        running.idle()
    schedule = record["schedule"]
    since, slot, created = (
        datetime.fromisoformat(text) for text in (schedule["since"], schedule["slot"], record["created"])
    )
    assert slot - since == WAIT
    assert began - 1 <= since.timestamp() <= slot.timestamp() <= created.timestamp() <= time.time()
    assert schedule["grams_per_kwh"] < schedule["at_once"]
    assert schedule["reason"].endswith("at once, by the forecast of forecast.json")
    assert record["source"] == f"{MODEL}/incoming/window.csv"
