"""What happens in a stack is told from the events of its cloud, on every cloud."""

from __future__ import annotations

import io

from rich.console import Console

from localcloud.commands.progress import Progress
from localcloud.commands.tell import Teller
from sml.typed import Typed
from tests.loop.running import MODEL, Running, csv_of, rows


def test_a_dataset_is_told_until_it_is_judged_and_so_is_what_is_refused(running: Running) -> None:
    shown = io.StringIO()
    teller = Teller(running.stack, Progress(Console(file=shown, soft_wrap=True)), Typed())
    teller.tell()
    shown.truncate(0)
    url = running.stack.outputs["data_url"]
    running.data.put(f"{MODEL}/told.csv", b"a,b\n1,2\n")
    running.over(running.upload("told-bad.csv", b"a,b\n1,2\n"))
    record = running.over(running.upload("told.csv", csv_of(rows(30, 430))))

    def told() -> str | None:
        teller.tell()
        text = " ".join(shown.getvalue().split())
        return text if f"promoted {MODEL} @ {record['version']}" in text else None

    text = running.wait(told, "the promotion to be told")
    assert record["status"] == "promoted"
    assert f"misplaced {url}/{MODEL}/told.csv has no effect there; put it at {url}/{MODEL}/incoming/told.csv" in text
    assert f"rejected {MODEL}: told-bad.csv: the file names none of the expected columns" in text
    assert f"upload told.csv -> data/{MODEL}/incoming/" in text
    assert f"prepare {MODEL}: 400 rows, 0 rejected, 30 features, digest {record['dataset'][:8]}" in text
    assert f"experiment {MODEL}: 1 of " in text
    passed = len(record["checks"])
    assert f"gate {MODEL}: {passed} of {passed} checks passed" in text
    assert f"canary {MODEL} @ {record['version']}: 50 % of the callers" in text
