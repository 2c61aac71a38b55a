"""The interpreter compared with workflows-emulator: the same answers where that one is right, and where it is not.

Each gap below is a reproduction. One that stops failing there means that a new version has mended it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from localcloud.gcp.workflows.calls import Calls, over_http
from localcloud.gcp.workflows.document import read
from localcloud.gcp.workflows.errors import Raised
from localcloud.gcp.workflows.interpreter import Interpreter, Services
from localcloud.gcp.workflows.library import functions
from tests.root import ROOT

pytestmark = pytest.mark.integration

EMULATOR = ROOT / ".local" / "workflows-emulator" / "bin" / "python"
WITNESS = Path(__file__).with_name("witness.py")
GONE = "http://127.0.0.1:9/"

AGREED = {
    "order": "[{a: {assign: [{x: 1}]}}, {b: {next: d}}, {c: {return: 0}}, {d: {return: '${x + 1}'}}]",
    "switch": """
      - a: {assign: [{x: 5}]}
      - b: {switch: [{condition: '${x > 9}', next: big}, {condition: '${x > 3}', next: middle}], next: small}
      - small: {return: small}
      - middle: {return: middle}
      - big: {return: big}
    """,
    "loop": """
      - a: {assign: [{total: 0}]}
      - b: {for: {value: v, in: [1, 2, 3], steps: [{c: {assign: [{total: '${total + v}'}]}}]}}
      - d: {return: '${total}'}
    """,
    "range": """
      - a: {assign: [{total: 0}]}
      - b: {for: {value: v, range: [1, 9], steps: [{c: {assign: [{total: '${total + v}'}]}}]}}
      - d: {return: '${total}'}
    """,
    "subworkflow": """
      main: {steps: [{a: {call: twice, args: {x: 4}, result: r}}, {b: {return: '${r}'}}]}
      twice: {params: [x], steps: [{a: {return: '${x * 2}'}}]}
    """,
    "members": """
      - a: {assign: [{m: {k: [1, 2]}}, {'m.k[0]': 7}, {m.n: text}]}
      - b: {return: '${m}'}
    """,
    "caught": """
      - a:
          try: {raise: {code: 7, message: no}}
          except: {as: e, steps: [{b: {return: '${e.code + 1}'}}]}
    """,
    "an error that nobody catches": "[{a: {raise: {code: 7, message: no}}}]",
    "words": """
      - a: {assign: [{s: 'one/two'}]}
      - b: {return: '${text.to_upper(text.split(s, "/")[1]) + string(len(s)) + text.replace_all(s, "o", "0")}'}
    """,
    "lists and maps": """
      - a: {assign: [{m: {a: 1}}, {l: [1]}]}
      - b: {return: '${list.concat(l, map.get(m, ["a"]))}'}
    """,
    "json": "[{a: {assign: [{m: {a: [1, 'x']}}]}}, {b: {return: '${json.decode(json.encode(m))}'}}]",
    "logic": "[{a: {assign: [{x: 1}]}}, {b: {return: '${x == 1 and (x > 2 or x in [1, 3])}'}}]",
    "branches": """
      - a: {assign: [{x: 0}, {y: 0}]}
      - b:
          parallel:
            shared: [x, y]
            branches: [{p: {steps: [{c: {assign: [{x: 1}]}}]}}, {q: {steps: [{d: {assign: [{y: 2}]}}]}}]
      - e: {return: '${x + y}'}
    """,
    "a call": """
      - a: {call: http.post, args: {url: 'SERVER', body: {n: 3}}, result: r}
      - b: {return: '${r.body.n + r.code}'}
    """,
    "a failing call": """
      - a:
          try: {call: http.post, args: {url: 'SERVER/500', body: {error: broken}}}
          except: {as: e, steps: [{b: {return: '${e.body.error + string(e.code)}'}}]}
    """,
}

HANGS = "a failed assignment can be caught"
GAPS: dict[str, tuple[str, object]] = {
    "the argument is main's parameter": ("main: {params: [input], steps: [{a: {return: '${input.n}'}}]}", 1),
    "a call can carry an identity": (
        "[{a: {call: http.post, args: {url: 'SERVER', body: {n: 1}, auth: {type: OIDC}}, result: r}},"
        " {b: {return: '${r.body.n}'}}]",
        1,
    ),
    "a refused connection can be caught": (
        f"[{{a: {{try: {{call: http.post, args: {{url: '{GONE}', body: {{}}}}}},"
        " except: {as: e, steps: [{b: {return: '${e.tags[0]}'}}]}}}]",
        "ConnectionFailedError",
    ),
    "a timeout can be caught": (
        "[{a: {try: {call: http.post, args: {url: 'SERVER/slow', body: {}, timeout: 0.05}},"
        " except: {as: e, steps: [{b: {return: '${e.tags[0]}'}}]}}}]",
        "TimeoutError",
    ),
    "a retry waits as long as its backoff says": (
        "[{a: {try: {call: http.post, args: {url: 'SERVER/busy', body: {n: 1}}, result: r},"
        " retry: {predicate: '${http.default_retry_predicate}', max_retries: 3,"
        " backoff: {initial_delay: 0.01, max_delay: 0.02, multiplier: 2}}}}, {b: {return: '${r.code}'}}]",
        200,
    ),
    "a predicate names its parameter as it likes": (
        "{main: {steps: [{a: {try: {call: http.post, args: {url: 'SERVER/busy', body: {n: 1}}, result: r},"
        " retry: {predicate: '${again}', max_retries: 3,"
        " backoff: {initial_delay: 0.01, max_delay: 60, multiplier: 2}}}}, {b: {return: '${r.code}'}}]},"
        " again: {params: [problem], steps: [{c: {return: '${problem.code == 503}'}}]}}",
        200,
    ),
    "a parallel step keeps its limit": (
        "[{a: {parallel: {concurrency_limit: 2, for: {value: v, range: [1, 6],"
        " steps: [{b: {call: http.post, args: {url: 'SERVER/counted', body: {}}}}]}}}},"
        " {c: {call: http.post, args: {url: 'SERVER/peak', body: {}}, result: r}}, {d: {return: '${r.body.peak}'}}]",
        2,
    ),
    "a parallel turn has variables of its own": (
        "[{a: {assign: [{found: {}}]}}, {b: {parallel: {shared: [found], for: {value: v, range: [1, 4],"
        " steps: [{c: {call: http.post, args: {url: 'SERVER', body: {n: '${v}'}}, result: r}},"
        " {d: {call: http.post, args: {url: 'SERVER/slow', body: {}}}},"
        " {e: {assign: [{'found[string(v)]': '${r.body.n}'}]}}]}}}}, {f: {return: '${found}'}}]",
        {"1": 1, "2": 2, "3": 3, "4": 4},
    ),
    "null is null": (
        "[{a: {assign: [{m: {}}, {x: '${map.get(m, \"k\")}'}]}}, {b: {return: '${get_type(x)}'}}]",
        "null",
    ),
    "null can be written": ("[{a: {assign: [{x: 1}]}}, {b: {return: '${x == null}'}}]", False),
    "true can be written": ("[{a: {return: '${true}'}}]", True),
    "an expression may have two lines": ('[{a: {return: "${1 +\\n 2}"}}]', 3),
    "if is a function": ('[{a: {return: \'${if(1 == 1, "yes", "no")}\'}}]', "yes"),
    "default keeps a zero": ("[{a: {return: '${default(0, 5)}'}}]", 0),
    "null can be returned": ("[{a: {return: null}}, {b: {return: went on}}]", None),
    "a brace may stand in a text": ("[{a: {return: '${\"a}b\"}'}}]", "a}b"),
    "a missing key can be caught": (
        "[{a: {assign: [{m: {}}]}}, {b: {try: {return: '${m.k}'},"
        " except: {as: e, steps: [{c: {return: '${e.tags[0]}'}}]}}}]",
        "KeyError",
    ),
    # The last one: it keeps a lock, and no execution after it gets anywhere.
    HANGS: (
        "[{a: {try: {assign: [{x: '${int(\"a\")}'}]}, except: {as: e, steps: [{b: {assign: [{y: 1}]}},"
        " {c: {return: '${y}'}}]}}}]",
        1,
    ),
}


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.busy = self.live = self.peak = 0
        self.turn = threading.Lock()


class Answering(BaseHTTPRequestHandler):
    """Echoes; slowly, with a failure, or with what was going on at the same time."""

    def log_message(self, format: str, *args: object) -> None: ...

    def do_POST(self) -> None:
        server = cast("Server", self.server)
        status, body = 200, self.rfile.read(int(self.headers["Content-Length"]))
        if self.path in ("/slow", "/counted"):
            self._slowly(server, 1 if self.path == "/counted" else 0)
        elif self.path == "/500":
            status = 500
        elif self.path == "/busy":
            server.busy += 1
            status = 200 if server.busy % 3 == 0 else 503
        elif self.path == "/peak":
            body = json.dumps({"peak": server.peak}).encode()
            server.peak = 0
        with contextlib.suppress(OSError):
            self._answer(status, body)

    def _slowly(self, server: Server, counted: int) -> None:
        with server.turn:
            server.live += counted
            server.peak = max(server.peak, server.live)
        time.sleep(0.15)
        with server.turn:
            server.live -= counted

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    serving = Server()
    threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_address[1]}"
    serving.shutdown()
    serving.server_close()


@pytest.fixture(scope="module")
def outcomes(server: str) -> dict[str, dict[str, Any]]:
    """What the emulator makes of every document."""
    sources = {**AGREED, **{name: source for name, (source, _) in GAPS.items()}}
    documents = [
        {
            "source": yaml.safe_load(source.replace("SERVER", server)),
            "argument": {"n": 1},
            "seconds": 1 if name == HANGS else 60,
        }
        for name, source in sources.items()
    ]
    completed = subprocess.run(
        [str(EMULATOR), str(WITNESS)],
        input=json.dumps(documents),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return dict(zip(sources, json.loads(completed.stdout), strict=True))


def run(source: str, server: str) -> dict[str, Any]:
    """Return the outcome of this interpreter for a source, in the same form."""
    services = Services(
        functions=functions({}),
        http=Calls(lambda _: "token", over_http),
        wait=time.sleep,
        check=lambda: None,
        log=lambda _: None,
    )
    try:
        return {"result": Interpreter(read(source.replace("SERVER", server)), services).run({"n": 1})}
    except Raised as raised:
        return {"error": raised.value}


@pytest.mark.parametrize("name", AGREED)
def test_both_answer_alike(name: str, server: str, outcomes: dict[str, dict[str, Any]]) -> None:
    mine = run(AGREED[name], server)
    theirs = outcomes[name]
    assert mine.get("result") == theirs.get("result")
    assert mine.get("error") == theirs.get("error", [None, None])[1]


@pytest.mark.parametrize("name", GAPS)
def test_what_the_emulator_gets_wrong_is_right_here(
    name: str, server: str, outcomes: dict[str, dict[str, Any]]
) -> None:
    source, right = GAPS[name]
    assert run(source, server) == {"result": right}
    assert outcomes[name] != {"result": right}
    assert outcomes[name].get("hangs", False) is (name == HANGS)
