"""The steps of workflows: what they do, in which order, and what a document is refused for."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from localcloud.gcp.workflows.calls import Calls, NotConnected, Response
from localcloud.gcp.workflows.document import read
from localcloud.gcp.workflows.errors import Raised, Refused, Undocumented
from localcloud.gcp.workflows.interpreter import Interpreter, Services
from localcloud.gcp.workflows.library import functions

JSON = {"Content-Type": "application/json"}
Answer = Callable[[str, dict[str, Any]], Response]


def ok(body: object = None, status: int = 200) -> Response:
    return Response(status=status, headers=JSON, body=json.dumps(body).encode())


@dataclass
class Lab:
    """Runs documents against the test's responses, and records their requests, log lines and pauses."""

    answer: Answer = lambda _, body: ok(body)
    sent: list[tuple[str, str, dict[str, str], Any, float]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)

    def transport(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Response:
        content = json.loads(body) if body else {}
        self.sent.append((method, url, dict(headers), content, seconds))
        return self.answer(url, content)

    def now(self) -> float:
        """Slow enough for another branch to come in between."""
        time.sleep(0.001)
        return 5.0

    def run(self, source: str, argument: Any = None) -> Any:
        services = Services(
            functions=functions({"GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID": "e-1"}, self.now),
            http=Calls(lambda audience: f"token for {audience}", self.transport),
            wait=self.waited.append,
            check=lambda: None,
            log=self.logged.append,
        )
        return Interpreter(read(source), services).run(argument)

    def tags(self, source: str) -> list[str]:
        with pytest.raises(Raised) as raised:
            self.run(source)
        return raised.value.value["tags"]


@pytest.fixture
def lab() -> Lab:
    return Lab()


def test_the_argument_is_the_one_parameter_of_main(lab: Lab) -> None:
    source = "main: {params: [input], steps: [{a: {return: '${input.source}'}}]}"
    assert lab.run(source, {"source": "data/x.csv"}) == "data/x.csv"


def test_a_parameter_may_have_a_default(lab: Lab) -> None:
    source = """
    main: {steps: [{a: {call: sub, args: {x: 1}, result: r}}, {b: {return: '${r}'}}]}
    sub: {params: [x, {y: 2}], steps: [{a: {return: '${x + y}'}}]}
    """
    assert lab.run(source) == 3


def test_steps_go_on_in_order_until_one_returns(lab: Lab) -> None:
    source = """
    - a: {assign: [{x: 1}, {y: '${x + 1}'}]}
    - b: {next: d}
    - c: {return: never}
    - d: {assign: [{y: '${y * 10}'}]}
    - e: {return: {x: '${x}', list: ['${y}', 'plain']}}
    - f: {return: never}
    """
    assert lab.run(source) == {"x": 1, "list": [20, "plain"]}


def test_end_ends_without_a_value(lab: Lab) -> None:
    assert lab.run("[{a: {next: end}}, {b: {return: 1}}]") is None


def test_null_is_returned_and_kept_as_null(lab: Lab) -> None:
    assert lab.run("[{a: {assign: [{x: null}]}}, {b: {return: {got: '${x}'}}}]") == {"got": None}
    assert lab.run("[{a: {return: null}}, {b: {return: 1}}]") is None


def test_members_are_assigned_and_other_names_for_the_same_map_do_not_change(lab: Lab) -> None:
    source = """
    - a: {assign: [{m: {l: [1, 2]}}, {other: '${m}'}, {i: 0}]}
    - b: {assign: [{'m.l[i + 1]': 5}, {'m["new-key"]': 6}, {m.k: {}}, {m.k.z: 7}]}
    - c: {return: ['${m}', '${other}']}
    """
    assert lab.run(source) == [{"l": [1, 5], "new-key": 6, "k": {"z": 7}}, {"l": [1, 2]}]


def test_the_first_condition_that_holds_decides(lab: Lab) -> None:
    source = """
    main:
      params: [status]
      steps:
      - look:
          switch:
          - {condition: '${status == "accepted"}', next: go}
          - {condition: '${status == "rejected"}', return: no}
          - {condition: '${status == "odd"}', steps: [{x: {assign: [{y: 1}]}}]}
          next: other
      - go: {return: gone}
      - other: {return: other}
    """
    result = [lab.run(source, status) for status in ("accepted", "rejected", "odd", "?")]
    assert result == ["gone", False, "other", "other"]


def test_a_condition_must_be_a_boolean(lab: Lab) -> None:
    assert lab.tags("[{a: {switch: [{condition: '${1}', next: end}]}}]") == ["TypeError"]


def test_a_loop_has_its_own_variables_and_changes_those_outside(lab: Lab) -> None:
    source = """
    - a: {assign: [{total: 0}]}
    - b:
        for:
          value: v
          index: i
          in: [5, 6, 7, 8, 9]
          steps:
          - skip: {switch: [{condition: '${v == 6}', next: continue}, {condition: '${v == 9}', next: break}]}
          - add: {assign: [{total: '${total + v * i}'}]}
    - c: {for: {value: v, range: [1, 3], steps: [{x: {assign: [{total: '${total + v}'}]}}]}}
    - d: {return: '${total}'}
    """
    assert lab.run(source) == 7 * 2 + 8 * 3 + 1 + 2 + 3


def test_a_loop_can_be_left_with_a_value(lab: Lab) -> None:
    source = (
        "[{a: {for: {value: v, in: [1, 2, 3], steps: [{b: {switch: [{condition: '${v == 2}', return: '${v}'}]}}]}}}]"
    )
    assert lab.run(source) == 2


@pytest.mark.parametrize(
    "source",
    [
        "[{a: {for: {value: v, in: [1], steps: [{b: {assign: [{x: 1}]}}]}}}, {c: {return: '${x}'}}]",
        "[{a: {for: {value: v, in: [1], steps: [{b: {assign: [{x: 1}]}}]}}}, {c: {return: '${v}'}}]",
        "[{a: {try: {raise: x}, except: {as: e, steps: [{b: {assign: [{x: 1}]}}]}}}, {c: {return: '${x}'}}]",
        "[{a: {switch: [{condition: false, assign: [{x: 1}]}]}}, {c: {return: '${x}'}}]",
    ],
)
def test_a_variable_that_is_not_there_ends_the_execution(lab: Lab, source: str) -> None:
    with pytest.raises(Undocumented, match="used before it is assigned"):
        lab.run(source)


def test_a_call_sends_json_as_its_account_and_keeps_the_answer(lab: Lab) -> None:
    source = """
    - a:
        call: http.post
        args:
          url: http://127.0.0.1:1/x
          body: {run: '${sys.get_env("GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID")}'}
          auth: {type: OIDC, audience: http://127.0.0.1:1}
          headers: {X-Mine: '1'}
          query: {q: 'a b'}
          timeout: 60
        result: r
    - b: {return: ['${r.body.run}', '${r.code}', '${r.headers["Content-Type"]}']}
    """
    assert lab.run(source) == ["e-1", 200, "application/json"]
    method, url, headers, body, seconds = lab.sent[0]
    assert (method, url, body, seconds) == ("POST", "http://127.0.0.1:1/x?q=a+b", {"run": "e-1"}, 60)
    assert headers["Authorization"] == "Bearer token for http://127.0.0.1:1"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["X-Mine"] == "1"


@pytest.mark.parametrize(
    ("auth", "bearer"),
    [("{type: OIDC}", "Bearer token for http://127.0.0.1:1"), ("{type: OAuth2}", "Bearer token for None")],
)
def test_the_audience_is_the_url_by_default(lab: Lab, auth: str, bearer: str) -> None:
    lab.run(f"[{{a: {{call: http.get, args: {{url: 'http://127.0.0.1:1', auth: {auth}}}}}}}]")
    assert lab.sent[0][2]["Authorization"] == bearer
    assert lab.sent[0][4] == 300


CAUGHT = """
- a:
    try: {call: http.post, args: {url: 'http://127.0.0.1:1', body: {}, timeout: 2}}
    except: {as: e, steps: [{b: {return: '${e}'}}]}
"""


def failing(problem: Exception) -> Answer:
    def answer(_url: str, _body: object) -> Response:
        raise problem

    return answer


@pytest.mark.parametrize(
    ("answer", "tag"),
    [
        (failing(NotConnected("refused")), "ConnectionFailedError"),
        (failing(ConnectionResetError("reset")), "ConnectionError"),
        (failing(TimeoutError()), "TimeoutError"),
        (lambda *_: Response(status=200, headers={}, body=b"x" * (2 * 1024 * 1024 + 1)), "ResourceLimitError"),
    ],
)
def test_a_call_that_fails_can_be_caught_by_its_tag(lab: Lab, answer: Answer, tag: str) -> None:
    lab.answer = answer
    assert lab.run(CAUGHT)["tags"] == [tag]


def test_a_bad_status_is_an_error_with_all_that_was_answered(lab: Lab) -> None:
    lab.answer = lambda *_: ok({"error": "KeyError: x"}, 500)
    result = lab.run(CAUGHT)
    assert (result["code"], result["body"], result["tags"]) == (500, {"error": "KeyError: x"}, ["HttpError"])
    assert result["headers"] == JSON


def test_what_is_not_json_is_text(lab: Lab) -> None:
    lab.answer = lambda *_: Response(status=503, headers={"content-type": "text/plain"}, body=b"no instance")
    assert lab.run(CAUGHT)["body"] == "no instance"


def test_a_redirection_is_not_followed(lab: Lab) -> None:
    lab.answer = lambda *_: Response(status=302, headers={"Location": "/"}, body=b"")
    with pytest.raises(Undocumented, match="302"):
        lab.run(CAUGHT)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("body: text", "needs a Content-Type"),
        ("body: {a: 1}, headers: {content-type: text/plain}", "accepted: application/json"),
    ],
)
def test_a_body_that_is_no_map_needs_its_type(lab: Lab, arguments: str, expected: str) -> None:
    with pytest.raises(Undocumented, match=expected):
        lab.run(f"[{{a: {{call: http.post, args: {{url: 'http://127.0.0.1:1', {arguments}}}}}}}]")


def test_an_account_without_a_token_is_an_auth_error() -> None:
    def unknown(_: str | None) -> str:
        raise LookupError("no such account")

    with pytest.raises(Raised) as raised:
        Calls(unknown, lambda *_: ok())("get", {"url": "http://127.0.0.1:1", "auth": {"type": "OIDC"}})
    assert raised.value.value == {"message": "no such account", "tags": ["AuthError"]}


RETRIED = """
main:
  steps:
  - a:
      try: {call: http.post, args: {url: 'http://127.0.0.1:1', body: {}}, result: r}
      retry:
        predicate: ${PREDICATE}
        max_retries: 4
        backoff: {initial_delay: 2, max_delay: 7, multiplier: 2}
  - b: {return: '${r.code}'}
again:
  params: [problem]
  steps:
  - ask: {switch: [{condition: '${"code" in problem and problem.code == 500}', return: true}]}
  - no: {return: false}
"""


@pytest.mark.parametrize(
    ("predicate", "statuses", "outcome", "waited"),
    [
        ("again", [500, 500, 200], 200, [2, 4]),
        ("again", [500, 500, 500, 500, 200], 200, [2, 4, 7, 7]),
        ("again", [500, 500, 500, 500, 500, 200], 500, [2, 4, 7, 7]),
        ("again", [500, 503], 503, [2]),
        ("http.default_retry_predicate", [429, 502, 503, 504, 200], 200, [2, 4, 7, 7]),
        ("http.default_retry_predicate", [500], 500, []),
        ("http.default_retry_predicate_non_idempotent", [429, 503, 502], 502, [2, 4]),
    ],
)
def test_a_step_is_tried_again_as_its_policy_says(
    lab: Lab, predicate: str, statuses: list[int], outcome: int, waited: list[float]
) -> None:
    left = list(statuses)
    lab.answer = lambda *_: ok({}, left.pop(0))
    source = RETRIED.replace("PREDICATE", predicate)
    if outcome == 200:
        assert lab.run(source) == 200
    else:
        with pytest.raises(Raised) as raised:
            lab.run(source)
        assert raised.value.value["code"] == outcome
    assert (left, lab.waited) == (statuses[len(waited) + 1 :], waited)


def test_a_lost_connection_is_tried_again_by_the_default_policy(lab: Lab) -> None:
    problems: list[Exception] = [NotConnected("refused"), ConnectionResetError("reset"), TimeoutError()]

    def answer(_url: str, body: object) -> Response:
        if problems:
            raise problems.pop(0)
        return ok(body)

    lab.answer = answer
    source = """
    - a:
        try: {call: http.post, args: {url: 'http://127.0.0.1:1', body: {}}}
        retry: ${http.default_retry}
    - b: {return: done}
    """
    assert lab.run(source) == "done"
    assert lab.waited == [1, 1.25, 1.5625]


def test_an_error_is_caught_by_the_nearest_except_once_the_retries_are_used_up(lab: Lab) -> None:
    lab.answer = lambda *_: ok({"error": "late"}, 503)
    source = """
    - outer:
        try:
          steps:
          - inner:
              try: {call: http.post, args: {url: 'http://127.0.0.1:1', body: {}}}
              retry: ${http.default_retry}
              except: {as: e, steps: [{again: {raise: {message: '${e.body.error}', tags: [Mine]}}}]}
          - never: {return: never}
        except:
          as: problem
          steps: [{c: {return: '${problem.message + " " + problem.tags[0]}'}}]
    """
    assert lab.run(source) == "late Mine"
    assert len(lab.sent) == 6


def test_a_failed_assignment_can_be_caught_and_harms_nothing_else(lab: Lab) -> None:
    source = """
    - a:
        try: {assign: [{x: '${int("a")}'}]}
        except: {as: e, steps: [{b: {assign: [{y: 1}, {z: '${e.tags}'}]}}, {c: {return: '${z}'}}]}
    """
    assert lab.run(source) == ["ValueError"]


def test_an_error_says_where_it_came_from(lab: Lab) -> None:
    source = """
    main: {steps: [{outer: {call: sub}}]}
    sub: {steps: [{a: {assign: [{x: {}}]}}, {inner: {return: '${x.y}'}}]}
    """
    with pytest.raises(Raised) as raised:
        lab.run(source)
    assert raised.value.where == 'in step "inner", routine "sub"'


def test_a_text_can_be_raised(lab: Lab) -> None:
    with pytest.raises(Raised) as raised:
        lab.run("[{a: {raise: 'the run failed'}}]")
    assert raised.value.value == "the run failed"


PARALLEL = """
- a: {assign: [{results: {}}]}
- b:
    parallel:
      shared: [results]
      concurrency_limit: LIMIT
      for:
        value: item
        in: [1, 2, 3, 4, 5, 6]
        steps:
        - c: {call: http.post, args: {url: 'http://127.0.0.1:1', body: {n: '${item}'}}, result: r}
        - d: {call: http.post, args: {url: 'http://127.0.0.1:1', body: {n: '${item}'}}}
        - e: {assign: [{'results[string(item)]': '${r.body.n}'}]}
- f: {return: '${results}'}
"""


@pytest.mark.parametrize("limit", [1, 2, 6])
def test_parallel_turns_run_side_by_side_up_to_the_limit_each_with_its_own_variables(lab: Lab, limit: int) -> None:
    together = threading.Barrier(limit)
    lock, live, peak = threading.Lock(), 0, 0

    def answer(_url: str, body: dict[str, Any]) -> Response:
        nonlocal live, peak
        with lock:
            live, peak = live + 1, max(peak, live + 1)
        together.wait(timeout=30)
        with lock:
            live -= 1
        return ok(body)

    lab.answer = answer
    assert lab.run(PARALLEL.replace("LIMIT", str(limit))) == {str(n): n for n in range(1, 7)}
    assert peak == limit


@pytest.mark.parametrize("limit", [{}, {"concurrency_limit": 40}])
def test_at_most_twenty_run_side_by_side(lab: Lab, limit: dict[str, int]) -> None:
    together = threading.Barrier(20)
    lock, live, peak = threading.Lock(), 0, 0

    def answer(_url: str, body: dict[str, Any]) -> Response:
        nonlocal live, peak
        with lock:
            live, peak = live + 1, max(peak, live + 1)
        together.wait(timeout=30)
        with lock:
            live -= 1
        return ok(body)

    lab.answer = answer
    turns = {
        "value": "v",
        "range": [1, 40],
        "steps": [{"b": {"call": "http.get", "args": {"url": "http://127.0.0.1:1"}}}],
    }
    lab.run(yaml.safe_dump([{"a": {"parallel": {"for": turns, **limit}}}]))
    assert peak == 20


def test_a_shared_variable_loses_no_change(lab: Lab) -> None:
    turn = "[{c: {assign: [{n: '${n + v * int(sys.now() / 5)}'}]}}]"
    source = f"""
    - a: {{assign: [{{n: 0}}]}}
    - b: {{parallel: {{shared: [n], for: {{value: v, range: [1, 60], steps: {turn}}}}}}}
    - d: {{return: '${{n}}'}}
    """
    assert lab.run(source) == 60 * 61 // 2


def test_a_variable_of_a_loop_around_is_not_changed_by_a_branch(lab: Lab) -> None:
    inner = "{parallel: {for: {value: w, in: [1], steps: [{c: {assign: [{v: 2}]}}]}}}"
    with pytest.raises(Undocumented, match="variable v is outside"):
        lab.run(f"[{{a: {{for: {{value: v, in: [1], steps: [{{b: {inner}}}]}}}}}}]")


def test_nothing_is_begun_once_an_execution_cannot_go_on(lab: Lab) -> None:
    turn = "[{b: {call: http.get, args: {url: 'http://127.0.0.1:1'}}}, {c: {assign: [{x: '${(0 - 7) // 2}'}]}}]"
    with pytest.raises(Undocumented):
        lab.run(f"[{{a: {{parallel: {{concurrency_limit: 1, for: {{value: v, in: [1, 2, 3], steps: {turn}}}}}}}}}]")
    assert len(lab.sent) == 1


def test_branches_run_side_by_side_under_their_names(lab: Lab) -> None:
    source = """
    - a: {assign: [{x: 0}, {y: 0}]}
    - b:
        parallel:
          shared: [x, y]
          branches:
          - one: {steps: [{c: {assign: [{x: 1}]}}]}
          - two: {steps: [{c: {assign: [{y: 2}]}}]}
    - d: {return: ['${x}', '${y}']}
    """
    assert lab.run(source) == [1, 2]


def test_the_other_branches_go_on_after_an_error_and_then_it_is_raised(lab: Lab) -> None:
    lab.answer = lambda _url, body: ok(body, 500 if body["n"] in (2, 5) else 200)
    source = """
    - b:
        try:
          parallel:
            for:
              value: item
              in: [1, 2, 3, 4, 5, 6]
              steps: [{c: {call: http.post, args: {url: 'http://127.0.0.1:1', body: {n: '${item}'}}}}]
        except: {as: e, steps: [{f: {return: '${e}'}}]}
    """
    result = lab.run(source)
    assert result["tags"] == ["UnhandledBranchError", "RuntimeError"]
    assert [branch["id"] for branch in result["branches"]] == ["1", "4"]
    assert result["branches"][0]["error"]["payload"]["code"] == 500
    assert 'in step "c"' in result["branches"][0]["error"]["context"]
    assert len(lab.sent) == 6


def test_sleep_waits_and_log_says(lab: Lab) -> None:
    lab.run("[{a: {call: sys.sleep, args: {seconds: 1.5}}}, {b: {call: sys.log, args: {text: hi, severity: INFO}}}]")
    assert (lab.waited, lab.logged) == ([1.5], ["INFO: hi"])


@pytest.mark.parametrize(
    ("source", "tag"),
    [
        ("[{a: {call: sys.sleep, args: {seconds: '1'}}}]", "TypeError"),
        ("[{a: {call: sys.sleep, args: {seconds: -1}}}]", "ValueError"),
        ("[{a: {call: http.get, args: {url: 'http://127.0.0.1:1', timeout: 1801}}}]", "ValueError"),
        ("[{a: {for: {value: v, in: {}, steps: [{b: {next: continue}}]}}}]", "TypeError"),
        (
            "[{a: {parallel: {concurrency_limit: 0, for: {value: v, in: [1], steps: [{b: {next: continue}}]}}}}]",
            "TypeError",
        ),
        ("{main: {steps: [{a: {call: s, args: {y: 1}}}]}, s: {params: [x], steps: [{b: {return: 1}}]}}", "TypeError"),
        ("{main: {steps: [{a: {call: s}}]}, s: {steps: [{b: {call: s}}]}}", "RecursionError"),
        ("[{a: {assign: [{x: 1}]}}, {b: {next: a}}]", "ResourceLimitError"),
        (
            "[{a: {assign: [{x: xxxxxxxxxxxxxxxx}]}}, {b: {assign: [{x: '${x + x}'}], next: b}}]",
            "ResourceLimitError",
        ),
    ],
)
def test_a_limit_or_a_wrong_type_is_an_error_with_its_tag(lab: Lab, source: str, tag: str) -> None:
    assert lab.tags(source) == [tag]


def test_variables_that_are_gone_hold_no_memory(lab: Lab) -> None:
    source = """
    - a: {assign: [{big: "BIG"}]}
    - b: {for: {value: v, range: [1, 40], steps: [{c: {assign: [{copy: '${big + big}'}]}}]}}
    - d: {return: '${len(big)}'}
    """
    assert lab.run(source.replace("BIG", "x" * 100_000)) == 100_000


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{", "neither YAML nor JSON"),
        ("1", "a workflow is a list of steps"),
        ("{sub: {steps: [{a: {return: 1}}]}}", "a map with main"),
        ("{main: {steps: []}}", "at least one step"),
        ("{main: {params: [a, b], steps: [{a: {return: 1}}]}}", "2 params; accepted: one"),
        ("[{a: {return: 1}}, {a: {return: 1}}]", "two steps are called a"),
        ("[{a: {return: 1, b: 2}}]", "main: a: has b, return"),
        ("[{a: {}}]", "accepted: next, and one of assign"),
        ("[{a: {assign: [{x: 1}], return: 1}}]", "main: a: has assign, return"),
        ("[{a: {next: b}}]", "main: a: next: b is no step"),
        ("[{a: {for: {value: v, in: [], steps: [{b: {next: c}}]}}}, {c: {return: 1}}]", "main: b: next: c is no step"),
        ("[{a: {next: break}}]", "next: break"),
        ("[{a: {parallel: {for: {value: v, in: [], steps: [{b: {next: break}}]}}}}]", "next: break"),
        (
            "[{a: {parallel: {for: {value: v, in: [], steps: [{b: {return: 1}}]}}}}]",
            "return is not accepted in a parallel",
        ),
        ("[{a: {return: '${x}'}}]", "main: a: variable x is never assigned"),
        ("[{a: {return: 'x is ${x}'}}]", "one expression as the whole text"),
        ("[{a: {assign: [{'1x': 1}]}}]", "not a variable's name"),
        ("[{a: {assign: [{'x[0': 1}]}}]", "] is missing"),
        ("[{a: {call: http.post, args: {url: u, boddy: 1}}}]", "http.post takes auth, body"),
        ("[{a: {call: http.post, args: {body: {}}}}]", "it got body"),
        ("[{a: {call: googleapis.storage.v1.objects.get}}]", "is not known here; accepted: http.delete"),
        ("[{a: {call: events.await_callback}}]", "events.await_callback is not known here"),
        ("[{a: {try: {return: 1}}}]", "a try has retry, except, or both"),
        ("[{a: {try: {return: 1}, except: {steps: []}}}]", "except has as and steps"),
        ("[{a: {try: {return: 1}, retry: {max_retries: 1}}}]", "accepted: predicate, max_retries and backoff"),
        ("[{a: {try: {return: 1}, retry: '${mine}'}}]", "${http.default_retry}"),
        (
            "[{a: {try: {return: 1}, retry: {predicate: '${no}', max_retries: 1,"
            " backoff: {initial_delay: 1, max_delay: 2, multiplier: 2}}}}]",
            "accepted: ${http.default_retry_predicate}",
        ),
        (
            "[{a: {try: {return: 1}, retry: {predicate: '${http.default_retry_predicate}', max_retries: 1,"
            " backoff: {delay: 1}}}}]",
            "backoff: accepted: initial_delay",
        ),
        ("[{a: {switch: [{next: end}]}}]", "each case of a switch has a condition"),
        ("[{a: {for: {value: v, steps: []}}}]", "one of in and range"),
        ("[{a: {for: {in: [], steps: []}}}]", "a for has value, steps"),
        ("[{a: {parallel: {}}}]", "a parallel has branches or for"),
        ("[{a: {parallel: {branches: [{b: {return: 1}}]}}}]", "a list of 2 to 10"),
        (
            "[{a: {parallel: {exception_policy: unhandled, for: {value: v, in: [], steps: [{b: {next: continue}}]}}}}]",
            "accepted: continueAll",
        ),
        (
            "[{a: {assign: [{x: 0}]}}, {b: {parallel: {for: {value: v, in: [], steps: [{c: {assign: [{x: 1}]}}]}}}}]",
            "its branches assign x, which must be in shared",
        ),
        ("[{b: {parallel: {shared: [x], for: {value: v, in: [], steps: [{c: {next: continue}}]}}}}]", "shared names x"),
        ("[{a: {return: 2026-01-01}}]", "is a date; put it in quotes"),
        ("[{a: {assign: []}}]", "a list of 1 to 50"),
        ("[{a: {return: '" + "x" * 131_072 + "'}}]", "accepted: 131072"),
        ("{main: {steps: [{a: {return: 1}}], more: 1}}", "main: accepted: params and steps"),
    ],
)
def test_what_is_not_understood_is_refused_before_it_runs(source: str, expected: str) -> None:
    with pytest.raises(Refused) as refused:
        read(source)
    assert expected in str(refused.value)
