"""On both embedded clouds: an execution fails, somebody is told, and the alarm ends."""

from __future__ import annotations

import time

from tests.loop.running import Running

NAME = "failed-executions"


def test_an_execution_that_fails_is_an_alarm_that_sml_names_and_that_ends(running: Running) -> None:
    running.stack.execute({"source": "nobody/incoming/rows.csv"})

    def told() -> str | None:
        said = running.sml("alarms", "--json")
        return next((one["text"] for one in said.document if (one["name"], one["state"]) == (NAME, "firing")), None)

    assert "`sml runs MODEL` names the run" in running.wait(told, "the alarm to fire")
    called, later = running.stack.outputs["alarms"][NAME], time.time() + 310
    assert [state.firing for state in running.stack.alarms(later) if state.name == called] == [False]
