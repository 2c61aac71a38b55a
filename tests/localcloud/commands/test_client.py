"""A client comes again when it is told to, once more when a copy was killed, and counts everything else as failed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from localcloud.commands.client import Call, Client, Outcomes, Reply
from localcloud.support.http_server import HttpServer, Request, Response, json_response

OURS = ("x-request-id", "r")
GONE, WRONG, FULL = json_response(500, {}), json_response(500, {}, OURS), json_response(429, {}, ("retry-after", "9"))
PLAIN = Call(name="it", path="/x")
DONE = json_response(200, {"a": 1}, OURS)


def sent(replies: Sequence[Response], call: Call = PLAIN) -> tuple[Reply | None, float, Outcomes]:
    """Send a call to a server that gives these responses in turn; return the reply, the rest and the outcomes."""
    left, outcomes = list(replies), Outcomes()
    with HttpServer(lambda _: left.pop(0), limit=1000) as server:
        client = Client(server.url.removeprefix("http://"), "me", outcomes)
        reply = client.send(call)
        client.close()
    assert not left
    return reply, client.rest, outcomes


def test_a_response_of_the_expected_status_is_returned() -> None:
    reply, rest, outcomes = sent([DONE])
    assert reply is not None
    assert (reply.status, reply.content, reply.headers["x-request-id"], rest) == (200, {"a": 1}, "r", 0.0)
    assert outcomes == Outcomes()
    refused = sent([json_response(404, {}, OURS)], Call(name="it", path="/x", expected=404))
    assert (refused[0] is not None, refused[2]) == (True, Outcomes())


def test_what_a_killed_copy_did_not_answer_is_sent_once_more() -> None:
    reply, _, outcomes = sent([GONE, DONE])
    assert (reply is not None, outcomes.repeated, outcomes.failed.total()) == (True, 1, 0)
    reply, rest, outcomes = sent([GONE, GONE])
    assert (reply, rest, outcomes.repeated, dict(outcomes.failed)) == (None, 1.0, 1, {"it: HTTP 500": 1})


@pytest.mark.parametrize("response", [WRONG, json_response(429, {}), json_response(404, {}), json_response(201, {})])
def test_any_other_status_has_failed(response: Response) -> None:
    reply, _, outcomes = sent([response])
    assert (reply, dict(outcomes.failed)) == (None, {f"it: HTTP {response.status}": 1})


def test_to_come_again_is_no_failure_and_the_wait_is_short() -> None:
    reply, rest, outcomes = sent([FULL])
    assert (reply, rest, dict(outcomes.refused), outcomes.failed.total()) == (None, 1.0, {429: 1}, 0)


def test_a_server_that_is_away_has_failed_by_the_exceptions_name() -> None:
    with HttpServer(lambda _: DONE, limit=1000) as server:
        address = server.url.removeprefix("http://")
    outcomes = Outcomes()
    client = Client(address, "me", outcomes)
    assert (client.send(Call(name="it", path="/x")), client.rest) == (None, 1.0)
    assert dict(outcomes.failed) == {"it: ConnectionRefusedError": 1}


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[1]"])
def test_a_body_that_is_no_object_reads_as_empty(body: bytes) -> None:
    assert Reply(status=200, headers={}, body=body).content == {}


def test_the_caller_the_method_and_the_headers_of_a_call_arrive() -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return DONE

    with HttpServer(answer, limit=1000) as server:
        client = Client(server.url.removeprefix("http://"), "me", Outcomes())
        client.send(Call(name="it", path="/x", body=b"{}"))
        client.send(Call(name="it", path="/y", method="GET", headers={"a": "b"}))
        client.close()
    post, get = seen
    assert (post.method, post.path, post.body) == ("POST", "/x", b"{}")
    assert (post.header("content-type"), post.header("x-caller-id")) == ("application/json", "me")
    assert (get.method, get.path, get.header("a"), get.header("content-type")) == ("GET", "/y", "b", None)
