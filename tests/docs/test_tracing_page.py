"""docs/tracing.md shows what `sml trace` prints of what functions logged, with times that are set here.

`python -m tests.docs.test_tracing_page` writes the transcripts anew.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sml.log_line import read
from sml.trace import names
from sml.trace.span import EXECUTION, spans_of
from sml.trace.trace import made
from sml.trace.tree import lines
from tests.docs.page import rows
from tests.root import ROOT
from tests.sml.traced import Logs, of_a_job, of_a_run

PAGE = ROOT / "docs" / "tracing.md"
PLACE = r"(?<=<!-- {} -->\n)(.*?)(?=<!-- end -->)"
BEGAN = 1_796_115_600.0
OF_A_JOB = ((0.0, 4.13), (1.211, 812.4))
OF_A_RUN = ((0.0, 1804.2), (2.9, 2011.7), (2.9, 1622.0), (5.3, 431.9), (6.1, 214.6))
"""When each piece of work began, in seconds, and how many milliseconds it took."""
JOB = "job-8f14e45fceea167a5a36dedd4bea2543"


def shown(logs: Logs, times: tuple[tuple[float, float], ...]) -> str:
    """What the command prints of a trace that all of these lines belong to."""
    ended = [(function, json.loads(line)) for function, told in logs.items() for line in told if '"start"' in line]
    kept: list[Any] = []
    for (function, line), (after, ms) in zip(ended, times, strict=True):
        timed = json.dumps({**line, "start": BEGAN + after, "ms": ms})
        kept += spans_of(function, [read(re.sub(r"job-[0-9a-f]{32}", JOB, timed))])
    return "```text\n" + "\n".join(lines(made(kept[0].trace_id, kept))) + "\n```\n"


def transcripts() -> dict[str, str]:
    logs, job = of_a_job()
    of_job = {name: [line for line in told if "trace_state" in line] for name, told in logs.items()}
    told = [json.loads(line) for line in logs["jobs"]]
    # The job's own line, which stands before that of its message, says which job it is, and who answered.
    of_job["jobs"] = [json.dumps({**told[-1], "job": job, "model": told[0]["model"], "version": told[0]["version"]})]
    return {"a job": shown(of_job, OF_A_JOB), "a run": shown(of_a_run(), OF_A_RUN)}


def test_the_transcripts_are_what_the_command_prints() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, printed in transcripts().items():
        found = re.search(PLACE.format(name), page, re.DOTALL)
        assert found is not None
        assert found[1] == printed, "python -m tests.docs.test_tracing_page writes it"


def test_the_table_has_every_field_that_is_told_under_a_name_of_ours() -> None:
    page = PAGE.read_text(encoding="utf-8")
    cells = {name for row in rows(page, "field") for name in re.findall(r"`(\w+)`", row[0])}
    assert {*names.FACTS, EXECUTION} <= cells
    assert f"v{names.CONVENTIONS}" in page


def main() -> None:
    """Write the transcripts into the page."""
    page = PAGE.read_text(encoding="utf-8")
    for name, printed in transcripts().items():
        page = re.sub(PLACE.format(name), lambda _, printed=printed: printed, page, count=1, flags=re.DOTALL)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
