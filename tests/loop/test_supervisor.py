from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

from localcloud.aws import Aws
from localcloud.commands.watch import Watch
from localcloud.engine.cloud import State
from localcloud.gcp import Gcp
from tests.loop import versions
from tests.loop.running import MODEL, SECONDS, Running, csv_of, rows
from tests.loop.scheduled import called, sent
from tests.loop.test_training import CASES


def stop(running: Running, execution: str) -> None:
    """End an execution as whoever looks at it in a console does: none of its steps follows."""
    match running.stack.cloud:
        case Aws() as cloud:
            cloud.session.client("stepfunctions").stop_execution(executionArn=execution)
        case Gcp() as cloud:
            cloud.session.workflows.cancel(running.stack.outputs["workflow"], execution)
    running.wait(lambda: running.stack.executions()[execution] is not State.RUNNING or None, "the execution to end")


def supervise(running: Running) -> dict[str, Any]:
    return called(running, "supervise")


@contextmanager
def uploaded(running: Running, key: str, content: bytes) -> Generator[None]:
    """Have an object in the data store whose key the stores' own client does not take."""
    bucket = urlsplit(running.stack.outputs["data_url"]).netloc
    match running.stack.cloud:
        case Aws() as cloud:
            client = cloud.session.client("s3")
            client.put_object(Bucket=bucket, Key=key, Body=content)
            yield
            client.delete_object(Bucket=bucket, Key=key)
        case Gcp() as cloud:
            name, url, owner = quote(key, safe=""), cloud.session.storage.url, cloud.session.owner
            sent("POST", f"{url}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}", content, owner)
            yield
            sent("DELETE", f"{url}/storage/v1/b/{bucket}/o/{name}", b"", owner)


def age(running: Running, seconds: float) -> None:
    """Have the step of the release under way begin earlier, as if so much time had passed."""

    def look() -> bool | None:
        live = running.live()
        if live["release"]["since"] < began - seconds / 2:
            return True
        live["release"]["since"] = began - seconds
        running.models.put(f"{MODEL}/live.json", json.dumps(live).encode())
        return None

    began = running.live()["release"]["since"]
    running.wait(look, "the pointer to be of an hour ago")


def test_a_canary_whose_execution_was_stopped_is_withdrawn_and_its_run_says_why(running: Running) -> None:
    champion = running.live()["champion"]
    run = running.release(running.register(versions.right(c=0.7)))
    [execution] = running.stack.executions(running=True)
    running.reached(run, "canary")
    stop(running, execution)
    assert running.live()["challenger"]
    assert supervise(running) == {"ended": [], "damaged": []}
    age(running, 3600)
    ended = supervise(running)["ended"]
    assert [(one["run"], one["status"]) for one in ended] == [(run, "failed")]
    live = running.live()
    assert (live["champion"], live["challenger"], live["weight"], live["release"]) == (champion, None, 0, None)
    assert live["history"][-1]["reason"].startswith("nobody judged it any more")
    record = running.over(run)
    assert (record["status"], record["cause"]) == ("failed", live["history"][-1]["reason"])
    assert supervise(running) == {"ended": [], "damaged": []}


def test_a_file_under_an_odd_key_is_rejected_by_its_name_and_a_start_without_one_passes_over_it(
    running: Running,
) -> None:
    watch, key = Watch(running.models, MODEL), f"{MODEL}/incoming//double.csv"
    with uploaded(running, f"{MODEL}/incoming/2026/", b""), uploaded(running, key, csv_of(rows(0, 100))):
        record = running.over(watch.new_run(SECONDS))
        running.idle()
        newest = running.over(running.upload("too-few.csv", csv_of(rows(0, 3))))
        execution = running.stack.execute({"model": MODEL})
        running.wait(lambda: running.stack.executions()[execution] is State.SUCCEEDED or None, "the start to succeed")
    assert (record["status"], record["source"]) == ("rejected", key)
    assert repr(key) in record["cause"]
    assert newest["status"] == "rejected"
    assert any(key in line for line in running.stack.logs("prepare") if "passed over" in line)


def test_of_datasets_at_once_the_newest_has_its_turn_and_none_that_was_never_tried_is_called_rolled_back(
    running: Running,
) -> None:
    before = set(running.stack.executions())
    watch = Watch(running.models, MODEL)
    for number in range(4):
        running.data.put(f"{MODEL}/incoming/at-once-{number}.csv", csv_of(rows(70 + number, 330)))
    runs = [watch.new_run(SECONDS) for _ in range(4)]
    with running.callers(CASES):
        records = [running.over(run) for run in runs]
        running.idle()
    newest = max(records, key=lambda record: record["source"])
    assert newest["status"] in ("promoted", "rolled_back"), newest
    tried = {entry["run"] for entry in running.live()["history"]}
    for record in records:
        assert record["status"] in ("promoted", "rolled_back", "superseded"), record
        assert (record["status"] == "superseded") == (record["run"] not in tried), record
        assert ("superseded_by" in record) == (record["status"] == "superseded")
    ends = {state for name, state in running.stack.executions().items() if name not in before}
    assert ends == {State.SUCCEEDED}
    assert running.live()["waiting"] == []
