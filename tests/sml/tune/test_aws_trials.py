"""What is asked of AWS for a copy of a function, and what is read of its reports."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from sml.aws.trials import LONGEST, Trials, report
from sml.clouds import region, trials
from sml.mistake import Mistake, Unreachable
from sml.tune.trial import Asked, beginning

FUNCTION = "predict-function-1a2b3c4"
CONFIGURATION = {
    "FunctionName": FUNCTION,
    "Runtime": "python3.13",
    "Role": "arn:role",
    "Handler": "main.handle",
    "Timeout": 15,
    "MemorySize": 1769,
    "Architectures": ["arm64"],
    "Environment": {"Variables": {"CAPTURES_URL": "s3://captures", "METER": "{}", "MODELS": "penguins"}},
    "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/aws/lambda/predict"},
    "TracingConfig": {"Mode": "Active"},
    "Layers": [{"Arn": "arn:layer:1", "CodeSize": 3}],
    "VpcConfig": {},
}
LINE = (
    "START RequestId: 1 Version: $LATEST\nREPORT RequestId: 1\tDuration: 12.34 ms\tBilled Duration: 213 ms\t"
    "Memory Size: 512 MB\tMax Memory Used: 97 MB\tInit Duration: 200.5 ms\t\n"
)
RECORD = {
    "durationMs": 12.34,
    "billedDurationMs": 213,
    "memorySizeMB": 512,
    "maxMemoryUsedMB": 97,
    "initDurationMs": 200.5,
}
AS_JSON = json.dumps({"type": "platform.report", "record": {"requestId": "1", "metrics": RECORD}})


class Lambda:
    """Lambda's client, which keeps what it is asked."""

    class exceptions:
        class ResourceNotFoundException(Exception):
            pass

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.refusal: Exception | None = None
        self.functions = [FUNCTION, f"{FUNCTION}-tune-ab-1-0", "other-tune-ab-1-0"]
        self.answer: dict[str, Any] = {"statusCode": 200, "body": "{}"}
        self.error: str | None = None
        self.tail = LINE
        self.states = [{"State": "Pending"}, {"State": "Active", "LastUpdateStatus": "Successful"}]

    def get_paginator(self, name: str) -> Any:
        self.asked.append((name, {}))
        return SimpleNamespace(paginate=lambda: [{"Functions": [{"FunctionName": one} for one in self.functions]}])

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            self.asked.append((name, arguments))
            if self.refusal:
                raise self.refusal
            if name == "get_function":
                return {"Configuration": CONFIGURATION, "Code": {"Location": "https://code"}}
            if name == "get_function_configuration":
                return self.states[0] if len(self.states) == 1 else self.states.pop(0)
            tail = base64.b64encode(self.tail.encode()).decode()
            error = {"FunctionError": self.error} if self.error else {}
            return {"Payload": io.BytesIO(json.dumps(self.answer).encode()), "LogResult": tail, **error}

        return call

    def of(self, name: str) -> list[Mapping[str, Any]]:
        return [arguments for asked, arguments in self.asked if asked == name]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Lambda:
    client = Lambda()
    monkeypatch.setattr(boto3, "client", lambda *_, **__: client)
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(URLLib3Session, "send", lambda *_: SimpleNamespace(status_code=200, content=b"zip"))
    return client


@pytest.fixture
def copies(client: Lambda) -> Trials:
    assert client
    return Trials(FUNCTION, "eu-west-1")


def test_a_copy_is_another_function_of_the_same_code_role_and_settings(client: Lambda, copies: Trials) -> None:
    copies.open("copy-1", 512, 0.3)
    [made] = client.of("create_function")
    same = ("Runtime", "Role", "Handler", "Timeout", "Architectures", "TracingConfig")
    assert {name: made[name] for name in same} == {name: CONFIGURATION[name] for name in same}
    assert (made["FunctionName"], made["MemorySize"], made["Code"]) == ("copy-1", 512, {"ZipFile": b"zip"})
    assert (made["Layers"], made["LoggingConfig"]) == (["arn:layer:1"], {"LogFormat": "JSON"})
    assert made["Environment"]["Variables"]["CAPTURES_URL"] == "memory://"
    assert "METER" not in made["Environment"]["Variables"]


def test_another_size_changes_the_copy_and_starts_it_anew(client: Lambda, copies: Trials) -> None:
    copies.open("copy-1", 512, 0.3)
    copies.open("copy-1", 512, 0.3)
    copies.open("copy-1", 1024, 0.6)
    changes = client.of("update_function_configuration")
    assert [one["MemorySize"] for one in changes] == [512, 1024]
    starts = {one["Environment"]["Variables"]["TUNE_START"] for one in changes}
    assert len(starts) == 2
    assert len(client.of("create_function")) == 1


def test_nothing_is_done_to_the_function_itself_but_reading_it(client: Lambda, copies: Trials) -> None:
    copies.open("copy-1", 512, 0.3)
    copies.call("copy-1", Asked(path="/p", body=b"{}"))
    copies.open("copy-1", 1024, 0.3)
    copies.remove("copy-1")
    touched = {name for name, arguments in client.asked if arguments.get("FunctionName") == FUNCTION}
    assert touched == {"get_function"}
    assert client.of("delete_function") == [{"FunctionName": "copy-1"}]


def test_copies_that_were_left_are_found_by_their_names_alone(client: Lambda, copies: Trials) -> None:
    assert copies.leftovers() == [f"{FUNCTION}-tune-ab-1-0"]
    assert all(name.startswith(beginning(FUNCTION, LONGEST)) for name in (copies.name(), *copies.leftovers()))
    client.refusal = Lambda.exceptions.ResourceNotFoundException()
    copies.remove("gone")


@pytest.mark.parametrize("tail", [LINE, AS_JSON], ids=["text", "json"])
def test_what_a_call_took_is_read_from_its_report(tail: str, client: Lambda, copies: Trials) -> None:
    client.tail = tail
    found = copies.call("copy-1", Asked(path="/models/m/predict", body=b"{}", headers={"content-type": "x"}))
    assert (found.ms, found.billed_ms, found.memory_mb, found.status) == (pytest.approx(212.84), 213, 97, 200)
    [asked] = client.of("invoke")
    event = json.loads(asked["Payload"])
    assert (event["rawPath"], event["body"], event["requestContext"]["http"]["method"]) == (
        "/models/m/predict",
        "{}",
        "POST",
    )
    assert asked["LogType"] == "Tail"


def test_a_tail_without_a_report_has_no_figures() -> None:
    assert report("something else\n") == {}


def test_a_binary_body_goes_as_base64(client: Lambda, copies: Trials) -> None:
    copies.call("copy-1", Asked(path="/i", body=b"{}\xff\x00"))
    event = json.loads(client.of("invoke")[0]["Payload"])
    assert (event["isBase64Encoded"], base64.b64decode(event["body"])) == (True, b"{}\xff\x00")


@pytest.mark.parametrize(
    ("answer", "killed"),
    [
        ({"errorType": "Runtime.ExitError", "errorMessage": "RequestId: 1 Error: signal: killed"}, True),
        ({"errorType": "Runtime.OutOfMemory", "errorMessage": "out"}, True),
        ({"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 15.00 seconds"}, False),
    ],
    ids=["killed", "out-of-memory", "timed-out"],
)
def test_a_copy_without_memory_is_told_from_one_that_fails(
    answer: dict[str, Any], killed: bool, client: Lambda, copies: Trials
) -> None:
    client.answer, client.error = answer, "Unhandled"
    found = copies.call("copy-1", Asked(path="/p", body=b""))
    assert (found.out_of_memory, bool(found.problem)) == (killed, True)


def test_an_answer_of_500_is_a_problem_in_the_functions_words(client: Lambda, copies: Trials) -> None:
    client.answer = {"statusCode": 503, "body": json.dumps({"detail": "no version of it can be opened"})}
    assert copies.call("copy-1", Asked(path="/p", body=b"")).problem == "503: no version of it can be opened"


def test_a_copy_that_cannot_be_made_is_told_with_the_reason(client: Lambda, copies: Trials) -> None:
    client.states = [{"State": "Failed", "StateReason": "the role may not be assumed"}]
    with pytest.raises(Mistake, match="could not make the copy: the role may not be assumed"):
        copies.open("copy-1", 512, 0.3)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ExpiredTokenException", Unreachable),
        ("AccessDeniedException", Mistake),
        ("InvalidParameterValueException", Mistake),
    ],
)
def test_a_refusal_is_one_sentence(code: str, kind: type[Mistake], client: Lambda, copies: Trials) -> None:
    copies.open("copy-1", 512, 0.3)
    client.refusal = ClientError({"Error": {"Code": code, "Message": "not you"}}, "x")
    with pytest.raises(kind, match=f"AWS refused to read the function: {code}: not you") as told:
        copies.open("copy-1", 8192, 3)
    assert type(told.value) is kind


def test_outputs_of_an_earlier_release_name_no_function(client: Lambda) -> None:
    assert client
    outputs = {
        "workflow": "arn:aws:states:eu-west-1:1:stateMachine:training",
        "functions": {"predict": {"name": FUNCTION}},
    }
    assert region("s3", outputs) == "eu-west-1"
    assert trials("s3", outputs, "predict", None).deployed().memory_mb == 1769
    with pytest.raises(Mistake, match="deploy it with this release first"):
        trials("s3", {"workflow": outputs["workflow"]}, "predict", None)
