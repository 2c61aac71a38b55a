"""Logs: which lines are asked for, here and in an account, and what is said where there are none."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import google.auth
import pytest
from botocore.exceptions import ClientError

import sml.gcp.api
from sml.aws.account import Account as Aws
from sml.gcp.account import Account as Gcp
from sml.log_line import Level, ago, read
from sml.mistake import Mistake
from tests.sml.called import Said, called
from tests.sml.staged import OUTPUTS, Staged
from tests.sml.test_accounts import Google

GROUP = "arn:aws:logs:eu-west-1:1:log-group:predict-logs-1"
VIEW = "projects/p/locations/l/buckets/b/views/_AllLogs"


def line(level: str, event: str, before: float = 0.0) -> str:
    """What a function of ours logs, so many seconds ago."""
    return json.dumps({"time": time.time() - before, "level": level, "event": event})


@pytest.mark.parametrize(
    ("text", "level"),
    [
        (line("WARNING", "x"), "WARNING"),
        ('{"severity": "ERROR", "event": "x"}', "ERROR"),
        ('{"log_level": "ERROR", "errorMessage": "x"}', "ERROR"),
        ('{"type": "platform.report", "record": {"status": "timeout"}}', "ERROR"),
        ('{"type": "platform.report", "record": {"status": "success"}}', ""),
        ('{"type": "platform.report", "record": "?"}', ""),
        ("Traceback (most recent call last):", ""),
        ("{" * 100_000, ""),
        ("[1]", ""),
    ],
    ids=["ours", "of GCP", "of Lambda", "a timeout", "a call", "no record", "text", "broken", "a list"],
)
def test_a_line_says_how_much_it_matters(text: str, level: str) -> None:
    assert read(text).level == level


def test_a_time_is_a_number_with_its_unit() -> None:
    assert [ago(text, 1_000_000) for text in ("30s", "10m", "2h", " 7d")] == [999_970, 999_400, 992_800, 395_200]
    for text in ("", "10", "m", "-1m", "1.5h", "yesterday", "1m30s"):
        with pytest.raises(Mistake, match=r"a number with s, m, h or d is accepted, such as 10m or 2d"):
            ago(text, 0)


@pytest.fixture
def logged(staged: Staged) -> Staged:
    staged.logged = [
        line("ERROR", "old", 7200),
        "Traceback of old",
        line("INFO", "new", 5),
        "text after new",
        line("ERROR", "newest", 1),
    ]
    return staged


def test_lines_of_a_time_and_of_a_level_are_chosen(logged: Staged) -> None:
    def chosen(*options: str) -> list[str]:
        return logged.sml("logs", "predict", *options).out.splitlines()

    assert chosen() == logged.logged
    assert chosen("--since", "10m") == logged.logged[2:]
    assert chosen("--level", "error") == [logged.logged[0], logged.logged[4]]
    assert chosen("--level", "Warning", "--since", "1h", "-n", "5") == logged.logged[4:]
    assert chosen("--level", "info", "-n", "1") == logged.logged[4:]


def test_json_is_a_list_of_lines_with_what_was_logged_as_an_object(logged: Staged) -> None:
    said = logged.sml("logs", "predict", "--since", "1m", "--json").document
    assert [(one["level"], one["message"]) for one in said] == [
        ("INFO", json.loads(logged.logged[2])),
        ("", "text after new"),
        ("ERROR", json.loads(logged.logged[4])),
    ]
    assert said[0]["time"] == said[1]["time"] < said[2]["time"]


def test_a_log_without_lines_says_what_was_looked_for(logged: Staged) -> None:
    said = logged.sml("logs", "jobs", "--since", "0s", "--level", "debug", "--json")
    assert (said.document, said.err) == ([], "jobs has logged nothing of level debug or above for 0s\n")


@pytest.mark.parametrize(
    ("asked", "code", "sentence"),
    [
        (["nobody"], 1, "there is no function nobody in the stack local; there are: predict, jobs, labels"),
        (["predict", "--since", "long"], 1, "--since long: a number with s, m, h or d is accepted"),
        (["predict", "--level", "loud"], 2, "'loud' is not one of 'debug', 'info', 'warning', 'error'"),
    ],
    ids=["function", "since", "level"],
)
def test_what_cannot_be_asked_is_a_sentence(asked: list[str], code: int, sentence: str, staged: Staged) -> None:
    said = staged.sml("logs", *asked)
    assert (said.code, said.out, sentence in said.err) == (code, "", True)


def test_a_stack_of_an_older_release_is_told_what_it_lacks(staged: Staged) -> None:
    del staged.outputs["functions"]
    for asked in (["logs", "predict"], ["send", "labels", "{}"], ["redrive", "labels"]):
        said = staged.sml(*asked)
        assert (said.code, "name no functions, as an older release deployed it" in said.err) == (1, True)
    assert staged.sml("redrive").code == 0


# In an account --------------------------------------------------------------------------------


class CloudWatch:
    """A log group of which a test says every line: pages of two, the oldest first."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.asked: list[Mapping[str, Any]] = []
        self.sent: list[Mapping[str, Any]] = []
        self.refusal: Exception | None = None

    def log(self, text: str, before: float) -> None:
        at = int((time.time() - before) * 1000)
        self.events.append({"message": f"{text}\n", "timestamp": at, "eventId": str(len(self.events))})

    def client(self, _: str, region_name: str) -> CloudWatch:
        assert region_name == "eu-west-1"
        return self

    def send_message(self, **message: Any) -> None:
        self.sent.append(message)

    def filter_log_events(self, **asked: Any) -> Mapping[str, Any]:
        if self.refusal:
            raise self.refusal
        self.asked.append(asked)
        end, after = asked.get("endTime", 1 << 60), int(asked.get("nextToken", 0))
        found = [one for one in self.events if asked["startTime"] <= one["timestamp"] <= end]
        page = {"events": found[after : after + 2]}
        return page if after + 2 >= len(found) else {**page, "nextToken": str(after + 2)}


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> CloudWatch:
    watch = CloudWatch()
    monkeypatch.setattr(boto3, "client", watch.client)
    return watch


def elsewhere(tmp_path: Path, *arguments: str, **outputs: Any) -> Said:
    """Call `sml` on a stack in an account."""
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps({**OUTPUTS, **outputs}), encoding="utf-8")
    return called(*arguments, "--outputs", str(file), state=tmp_path)


def test_the_newest_lines_are_found_though_the_oldest_are_told_first(cloudwatch: CloudWatch, tmp_path: Path) -> None:
    for number in range(9):
        cloudwatch.log(line("INFO", f"{number}"), 40_000 - number * 4400)
    said = elsewhere(tmp_path, "logs", "predict", "-n", "3", "--json")
    assert [one["message"]["event"] for one in said.document] == ["6", "7", "8"]
    starts = [one["startTime"] for one in cloudwatch.asked if "nextToken" not in one]
    assert len(starts) == 3, "a week was not looked through for what a day has"
    assert {one["logGroupName"] for one in cloudwatch.asked} == {"predict-logs-1"}
    assert [one["message"]["event"] for one in elsewhere(tmp_path, "logs", "predict", "--json").document] == list(
        "012345678"
    )
    cloudwatch.asked.clear()
    assert len(elsewhere(tmp_path, "logs", "predict", "--since", "2h", "--json").document) == 1
    assert min(one["startTime"] for one in cloudwatch.asked) / 1000 > time.time() - 7300


def test_a_level_is_asked_of_cloudwatch_itself(cloudwatch: CloudWatch) -> None:
    Aws().logged(GROUP, since=time.time(), level=Level.ERROR, most=1)
    assert cloudwatch.asked[0]["filterPattern"] == (
        '{ ($.level = "ERROR") || ($.level = "CRITICAL") || ($.log_level = "ERROR") || ($.log_level = "CRITICAL")'
        ' || ($.record.status = "error") || ($.record.status = "failure") || ($.record.status = "timeout") }'
    )


def test_a_log_is_followed_and_no_line_is_told_twice(
    cloudwatch: CloudWatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(["second", "late", None])

    def pause(_: float) -> None:
        event = next(looks)
        if event is None:
            raise KeyboardInterrupt
        cloudwatch.log(line("INFO", event), 20 if event == "late" else 0)

    cloudwatch.log(line("INFO", "first"), 1)
    monkeypatch.setattr("sml.commands.function.time", SimpleNamespace(sleep=pause, time=time.time))
    said = elsewhere(tmp_path, "logs", "predict", "-f", "--json")
    assert said.code == 130
    assert [json.loads(one)["message"]["event"] for one in said.out.splitlines()] == ["first", "second", "late"]


@pytest.mark.parametrize(
    ("refused", "code", "sentence"),
    [
        ("AccessDeniedException", 1, "sml: AWS refused to read the log: AccessDeniedException: not logs:Filter\n"),
        ("ExpiredTokenException", 3, "sml: AWS refused to read the log: ExpiredTokenException: not logs:Filter\n"),
    ],
    ids=["permission", "expired"],
)
def test_what_cloudwatch_refuses_is_a_sentence(
    refused: str, code: int, sentence: str, cloudwatch: CloudWatch, tmp_path: Path
) -> None:
    cloudwatch.refusal = ClientError({"Error": {"Code": refused, "Message": "not logs:Filter"}}, "x")
    said = elsewhere(tmp_path, "logs", "predict")
    assert (said.code, said.out, said.err) == (code, "", sentence)


def test_a_message_goes_to_the_queue_that_the_outputs_name(cloudwatch: CloudWatch, tmp_path: Path) -> None:
    said = elsewhere(tmp_path, "send", "labels", '{"label": "ü"}')
    log = f"sml logs labels --outputs {tmp_path / 'outputs.json'}"
    assert (said.code, said.out) == (0, f"sent to the queue of labels; its log: `{log}`\n")
    [sent] = cloudwatch.sent
    assert (sent["QueueUrl"], json.loads(sent["MessageBody"])) == (
        "https://sqs.eu-west-1.amazonaws.com/1/labels",
        {"label": "ü"},
    )
    said = elsewhere(tmp_path, "send", "jobs", "{}")
    assert (said.code, said.err) == (1, "sml: jobs is no function that takes messages; there are: labels\n")
    said = elsewhere(tmp_path, "redrive", "predict")
    assert (said.code, said.err) == (1, "sml: predict is no function that has a queue; there are: jobs, labels\n")
    assert len(cloudwatch.sent) == 1


class Logging(Google):
    """Cloud Logging: pages of two entries, the newest first."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[dict[str, Any]] = []
        self.refusal: tuple[int, str] | None = None

    def request(self, method: str, url: str, json: Any, timeout: float) -> Any:
        del timeout
        self.asked.append((method, url.removeprefix("https://"), json))
        status, text = self.refusal or (200, "")
        start = int(json.get("pageToken", 0))
        page = {"entries": self.entries[start : start + 2]}
        if start + 2 < len(self.entries):
            page["nextPageToken"] = str(start + 2)

        def document() -> Any:
            if text.startswith("<"):
                raise ValueError
            return {"error": {"message": text}} if self.refusal else page

        return SimpleNamespace(status_code=status, ok=status < 300, text=text, json=document)


@pytest.fixture
def logging(monkeypatch: pytest.MonkeyPatch) -> Logging:
    apis = Logging()
    monkeypatch.setattr(google.auth, "default", lambda scopes: (object(), "p"))
    monkeypatch.setattr(sml.gcp.api, "AuthorizedSession", apis)
    return apis


def test_the_newest_entries_are_asked_of_google_in_the_view_of_the_function(logging: Logging) -> None:
    at = "2026-11-30T10:00:0{}.123456789Z"
    logging.entries = [
        {"timestamp": at.format(3), "insertId": "c", "severity": "ERROR", "jsonPayload": {"event": "failed"}},
        {"timestamp": at.format(2), "insertId": "b", "textPayload": "a line\n"},
        {"timestamp": at.format(1), "insertId": "a", "severity": "INFO", "httpRequest": {"status": 200}},
    ]
    found = Gcp().logged(VIEW, since=1_700_000_000, level=Level.WARNING, most=100)
    assert [(one.level, one.text.partition('"severity": ')[2] or one.text) for one in found] == [
        ("INFO", '"INFO", "status": 200}'),
        ("", "a line"),
        ("ERROR", '"ERROR", "event": "failed"}'),
    ]
    assert [round(one.at % 60, 3) for one in found] == [1.123, 2.123, 3.123]
    assert len({one.key for one in found}) == 3
    _, path, asked = logging.asked[0]
    assert path == "logging.googleapis.com/v2/entries:list"
    assert asked["resourceNames"] == [VIEW]
    assert asked["filter"] == 'timestamp>="2023-11-14T22:13:20+00:00" AND severity>=WARNING'
    assert (asked["orderBy"], asked["pageSize"]) == ("timestamp desc", 100)
    assert logging.asked[1][2]["pageToken"] == "2"
    assert next(one.text for one in Gcp().logged(VIEW, since=0, level=None, most=2)) == "a line"


@pytest.mark.parametrize("text", ["Permission 'logging.views.access' denied", "<html>no</html>"], ids=["json", "html"])
def test_what_google_refuses_is_told_in_its_own_sentence(text: str, logging: Logging) -> None:
    logging.refusal = 403, text
    with pytest.raises(Mistake, match=f"^GCP refused to read the log: 403 {text}$"):
        Gcp().logged(VIEW, since=0, level=None, most=1)


def test_a_message_is_published_to_the_topic_that_the_outputs_name(logging: Logging) -> None:
    Gcp().send("labels", "https://pubsub.googleapis.com/v1/projects/p/topics/labels", {"a": 1})
    assert logging.asked == [
        ("POST", "pubsub.googleapis.com/v1/projects/p/topics/labels:publish", {"messages": [{"data": "eyJhIjogMX0="}]})
    ]
