"""Workflows that are deployed, and their executions."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from localcloud.gcp.workflows import ACTIVE, CANCELLED, FAILED, SUCCEEDED, Execution, NotFound, Refused, Workflows
from localcloud.gcp.workflows.calls import NotConnected, over_http
from localcloud.gcp.workflows.rest import ExecutionsApi

NAME = "projects/p/locations/eu/workflows/training"
ECHO = "main: {params: [input], steps: [{a: {return: '${input}'}}]}"
SLEEP = "[{a: {call: sys.sleep, args: {seconds: 600}}}]"
ACCOUNT = "training@p.iam"


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def workflows(lines: list[str]) -> Iterator[Workflows]:
    running = Workflows(token=lambda account, audience: f"{account}|{audience}", log=lines.append)
    yield running
    running.stop()
    running.stop()


def ended(workflows: Workflows, execution: Execution) -> Execution:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        current = workflows.execution(execution.workflow, execution.id)
        if current.state != ACTIVE:
            return current
        time.sleep(0.002)
    raise AssertionError("it does not end")


def test_an_execution_returns_what_its_workflow_returns(workflows: Workflows, lines: list[str]) -> None:
    workflows.deploy(NAME, ECHO, ACCOUNT)
    started = workflows.start(NAME, {"source": "x"})
    finished = ended(workflows, started)
    assert (started.state, finished.state, finished.result, finished.argument) == (
        ACTIVE,
        SUCCEEDED,
        {"source": "x"},
        {"source": "x"},
    )
    assert finished.ended is not None
    assert finished.ended >= finished.started
    assert lines == [f"{NAME}: {finished.id} SUCCEEDED"]


def test_an_error_that_nobody_catches_fails_the_execution(workflows: Workflows, lines: list[str]) -> None:
    workflows.deploy(NAME, "[{a: {raise: {message: 'no dataset', code: 7}}}]", ACCOUNT)
    finished = ended(workflows, workflows.start(NAME))
    assert finished.state == FAILED
    assert finished.failure is not None
    assert json.loads(finished.failure.payload) == {"message": "no dataset", "code": 7}
    assert finished.failure.context == 'RuntimeError: no dataset in step "a", routine "main"'
    assert "no dataset" in lines[0]


def test_what_is_not_documented_fails_and_says_so(workflows: Workflows) -> None:
    workflows.deploy(NAME, "[{a: {return: '${(0 - 7) // 2}'}}]", ACCOUNT)
    finished = ended(workflows, workflows.start(NAME))
    assert finished.failure is not None
    assert "not documented, so not done here" in finished.failure.context


def test_a_result_that_is_too_large_fails_the_execution(workflows: Workflows) -> None:
    big = json.dumps([{"a": {"assign": [{"x": "x" * 100_000}]}}, {"b": {"return": ["${x}"] * 6}}])
    workflows.deploy(NAME, big, ACCOUNT)
    finished = ended(workflows, workflows.start(NAME))
    assert finished.failure is not None
    assert "ResourceLimitError" in finished.failure.payload


def test_an_execution_knows_where_it_is(workflows: Workflows) -> None:
    names = ("PROJECT_ID", "PROJECT_NUMBER", "LOCATION", "WORKFLOW_ID", "WORKFLOW_EXECUTION_ID", "SERVICE_ACCOUNT_NAME")
    expressions = [f"${{sys.get_env('GOOGLE_CLOUD_{name}')}}" for name in names]
    source = json.dumps([{"a": {"return": [*expressions, "${sys.get_env('MINE')}"]}}])
    workflows.deploy(NAME, source, ACCOUNT, {"MINE": "1"})
    finished = ended(workflows, workflows.start(NAME))
    assert finished.result == ["p", "0", "eu", "training", finished.id, ACCOUNT, "1"]


def test_executions_are_listed_newest_first_by_state(workflows: Workflows) -> None:
    workflows.deploy(NAME, ECHO, ACCOUNT)
    done = [ended(workflows, workflows.start(NAME, number)) for number in range(2)]
    workflows.deploy(NAME, SLEEP, ACCOUNT)
    waiting = workflows.start(NAME)
    assert [each.id for each in workflows.executions(NAME)] == [waiting.id, done[1].id, done[0].id]
    assert [each.id for each in workflows.executions(NAME, ACTIVE)] == [waiting.id]
    assert [each.result for each in workflows.executions(NAME, SUCCEEDED)] == [1, 0]


def test_a_cancelled_execution_is_over_at_once_and_stays_so(workflows: Workflows) -> None:
    workflows.deploy(NAME, SLEEP, ACCOUNT)
    started = workflows.start(NAME)
    assert workflows.cancel(NAME, started.id).state == CANCELLED
    with pytest.raises(ValueError, match="is CANCELLED"):
        workflows.cancel(NAME, started.id)


def test_nothing_follows_a_call_that_was_cancelled(lines: list[str]) -> None:
    called, go = threading.Event(), threading.Event()
    urls: list[str] = []

    def transport(_method: str, url: str, *_: object) -> Any:
        urls.append(url)
        called.set()
        go.wait(timeout=30)
        raise NotConnected("late")

    workflows = Workflows(token=lambda *_: "t", log=lines.append, transport=transport)
    call = "{call: http.get, args: {url: 'http://127.0.0.1:1'}}"
    workflows.deploy(NAME, f"[{{a: {{try: {call}, except: {{as: e, steps: [{{c: {call}}}]}}}}}}]", ACCOUNT)
    started = workflows.start(NAME)
    assert called.wait(timeout=30)
    workflows.cancel(NAME, started.id)
    go.set()
    for thread in threading.enumerate():
        if thread.name == f"execution {started.id}":
            thread.join(timeout=30)
    assert (urls, workflows.execution(NAME, started.id).state) == (["http://127.0.0.1:1"], CANCELLED)


def test_a_new_revision_does_not_touch_an_execution_under_way() -> None:
    called, go = threading.Event(), threading.Event()

    def transport(*_: object) -> Any:
        called.set()
        go.wait(timeout=30)
        raise NotConnected("late")

    workflows = Workflows(token=lambda *_: "t", log=lambda _: None, transport=transport)
    call = "{call: http.get, args: {url: 'http://127.0.0.1:1'}}"
    source = f"[{{a: {{try: {call}, except: {{as: e, steps: [{{c: {{return: first}}}}]}}}}}}]"
    first = workflows.deploy(NAME, source, ACCOUNT)
    started = workflows.start(NAME)
    assert called.wait(timeout=30)
    second = workflows.deploy(NAME, ECHO, ACCOUNT)
    go.set()
    assert ended(workflows, started).result == "first"
    assert ended(workflows, workflows.start(NAME, 2)).revision == second
    assert (first[:7], second[:7]) == ("000001-", "000002-")


def test_what_is_deleted_is_cancelled_and_not_found(workflows: Workflows, lines: list[str]) -> None:
    workflows.deploy(NAME, SLEEP, ACCOUNT)
    started = workflows.start(NAME)
    workflows.delete(NAME)
    workflows.delete(NAME)
    assert lines == [f"{NAME}: {started.id} CANCELLED"]
    with pytest.raises(NotFound, match=NAME):
        workflows.start(NAME)
    with pytest.raises(NotFound, match=NAME):
        workflows.executions(NAME)


def test_an_execution_that_does_not_exist_is_missed_by_name(workflows: Workflows) -> None:
    workflows.deploy(NAME, ECHO, ACCOUNT)
    with pytest.raises(NotFound, match="execution none"):
        workflows.execution(NAME, "none")


def test_a_refused_document_leaves_the_one_before(workflows: Workflows) -> None:
    workflows.deploy(NAME, ECHO, ACCOUNT)
    with pytest.raises(Refused):
        workflows.deploy(NAME, "[{a: {next: nowhere}}]", ACCOUNT)
    assert ended(workflows, workflows.start(NAME, 5)).result == 5


@pytest.mark.parametrize(
    ("argument", "expected"),
    [("x" * 524_288, "accepted: 524288"), ({1, 2}, "not JSON"), (float("nan"), "not JSON compliant")],
)
def test_an_argument_that_cannot_be_is_refused(workflows: Workflows, argument: object, expected: str) -> None:
    workflows.deploy(NAME, ECHO, ACCOUNT)
    with pytest.raises(ValueError, match=expected):
        workflows.start(NAME, argument)
    assert workflows.executions(NAME) == []


def test_the_caller_cannot_change_an_argument_any_more(workflows: Workflows) -> None:
    workflows.deploy(NAME, ECHO, ACCOUNT)
    argument = {"a": [1]}
    started = workflows.start(NAME, argument)
    argument["a"].append(2)
    assert ended(workflows, started).result == {"a": [1]}


class Slow(BaseHTTPRequestHandler):
    """Answers `/echo`, drops `/drop`, and never ends `/trickle`."""

    def log_message(self, format: str, *args: object) -> None: ...

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/drop":
            self.connection.close()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        if self.path == "/trickle":
            for _ in range(1000):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return
                time.sleep(0.01)
        document = {"body": json.loads(body), "token": self.headers.get("Authorization")}
        self.wfile.write(json.dumps(document).encode())


@pytest.fixture
def server() -> Iterator[str]:
    serving = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    serving.daemon_threads = True
    threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_address[1]}"
    serving.shutdown()
    serving.server_close()


def test_a_call_goes_over_http_as_the_workflows_account(workflows: Workflows, server: str) -> None:
    call = {
        "call": "http.post",
        "args": {"url": f"{server}/echo", "body": {"a": "ü"}, "auth": {"type": "OIDC", "audience": server}},
    }
    workflows.deploy(NAME, json.dumps([{"a": {**call, "result": "r"}}, {"b": {"return": "${r.body}"}}]), ACCOUNT)
    finished = ended(workflows, workflows.start(NAME))
    assert finished.result == {"body": {"a": "ü"}, "token": f"Bearer {ACCOUNT}|{server}"}


def test_a_dropped_connection_is_no_answer(server: str) -> None:
    with pytest.raises((OSError, http.client.HTTPException)):
        over_http("POST", f"{server}/drop", {}, b"{}", 10)


def test_the_timeout_bounds_an_answer_that_never_ends(server: str) -> None:
    with pytest.raises(TimeoutError):
        over_http("POST", f"{server}/trickle", {}, b"{}", 0.1)


def test_a_port_that_nobody_listens_on_is_no_connection() -> None:
    with pytest.raises(NotConnected):
        over_http("POST", "http://127.0.0.1:9/", {}, b"{}", 5)


@pytest.mark.parametrize("url", ["https://example.com/", "http://169.254.169.254/computeMetadata/v1/"])
def test_nothing_is_called_beyond_this_machine(url: str) -> None:
    with pytest.raises(NotConnected, match="not on this machine"):
        over_http("GET", url, {}, None, 1)


def ask(
    workflows: Workflows, method: str, path: str, body: object = None, sender: str = "ok"
) -> tuple[int, dict[str, Any]]:
    api = ExecutionsApi(workflows, lambda token, permission, resource: token == "ok" and resource == NAME)
    status, answer = api.answer(method, f"/v1/{path}", {"Authorization": f"Bearer {sender}"}, json.dumps(body).encode())
    return status, json.loads(answer)


def test_rest_starts_reads_and_cancels(workflows: Workflows) -> None:
    workflows.deploy(NAME, SLEEP, ACCOUNT)
    status, started = ask(workflows, "POST", f"{NAME}/executions", {"argument": '{"source": "x"}'})
    assert (status, started["state"], started["argument"]) == (200, "ACTIVE", '{"source": "x"}')
    assert started["name"].startswith(f"{NAME}/executions/")
    assert ask(workflows, "GET", started["name"])[1]["state"] == "ACTIVE"
    status, cancelled = ask(workflows, "POST", f"{started['name']}:cancel", {})
    assert (status, cancelled["state"]) == (200, "CANCELLED")
    assert cancelled["endTime"].endswith("Z")


def test_rest_returns_the_result_or_the_error(workflows: Workflows) -> None:
    workflows.deploy(NAME, ECHO, ACCOUNT)
    _, started = ask(workflows, "POST", f"{NAME}/executions", {})
    ended(workflows, workflows.executions(NAME)[0])
    assert ask(workflows, "GET", started["name"])[1]["result"] == "null"
    workflows.deploy(NAME, "[{a: {raise: x}}]", ACCOUNT)
    _, started = ask(workflows, "POST", f"{NAME}/executions", {})
    ended(workflows, workflows.executions(NAME)[0])
    assert ask(workflows, "GET", started["name"])[1]["error"]["payload"] == '"x"'


@pytest.mark.parametrize(
    ("method", "path", "body", "sender", "status"),
    [
        ("POST", f"{NAME}/executions", {}, "stranger", 403),
        ("POST", "projects/p/locations/eu/workflows/other/executions", {}, "ok", 403),
        ("GET", f"{NAME}/executions/none", None, "ok", 404),
        ("POST", f"{NAME}/executions", {"argument": "{"}, "ok", 400),
        ("POST", f"{NAME}/executions", {"argument": {}}, "ok", 400),
        ("POST", f"{NAME}/executions", [], "ok", 400),
        ("DELETE", f"{NAME}/executions/none", None, "ok", 404),
        ("POST", NAME, {}, "ok", 404),
    ],
)
def test_rest_refuses_with_the_error_of_a_google_api(
    workflows: Workflows, method: str, path: str, body: object, sender: str, status: int
) -> None:
    workflows.deploy(NAME, ECHO, ACCOUNT)
    code, answer = ask(workflows, method, path, body, sender)
    assert (code, answer["error"]["code"]) == (status, status)
    assert workflows.executions(NAME) == []
