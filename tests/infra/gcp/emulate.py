"""Run workflows against functions that answer by a script; started by the interpreter that has workflows-emulator.

Reads {"scenarios": [{"source", "argument", "answers"}]} and writes, for each, the result or the
error, and every call. The functions are at https://<name>.example.org; a name's answers,
[status, body], are taken in turn, the last one for ever. What the emulator cannot do is removed
before: it has no OIDC, and it waits in real time.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any


class Functions(ThreadingHTTPServer):
    """The scripted functions, on a free port of the loopback address."""

    def __init__(self, answers: dict[str, list[list[Any]]]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.answers = answers
        self.calls: list[list[Any]] = []
        self.turn = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        functions = self.server
        assert isinstance(functions, Functions)
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = self.path.strip("/")
        with functions.turn:
            functions.calls.append([name, body])
            turns = functions.answers[name]
            status, answer = turns.pop(0) if len(turns) > 1 else turns[0]
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the calls are in the answer."""


def prepared(source: Any, address: str) -> Any:
    match source:
        case dict():
            supported = {key: value for key, value in source.items() if key not in ("auth", "backoff")}
            return {key: prepared(value, address) for key, value in supported.items()}
        case list():
            return [prepared(value, address) for value in source]
        case str() if source.startswith("https://"):
            return f"{address}/{source.removeprefix('https://').removesuffix('.example.org')}"
        case _:
            return source


def run(scenario: dict[str, Any], execute: Any) -> dict[str, Any]:
    functions = Functions(scenario["answers"])
    try:
        source = prepared(scenario["source"], f"http://127.0.0.1:{functions.server_port}")
        return {"result": execute(source, {"args": scenario["argument"]}), "calls": functions.calls}
    except Exception as error:
        return {"error": getattr(error, "payload", repr(error)), "calls": functions.calls}
    finally:
        functions.shutdown()
        functions.server_close()


def main() -> None:
    request = json.load(sys.stdin)
    emulator = import_module("workflows_emulator.main")
    validate = import_module("jsonschema").validate
    os.environ["GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID"] = "execution-1"
    for scenario in request["scenarios"]:
        validate(scenario["source"], emulator.WORKFLOW_SCHEMA)
    results = [run(scenario, emulator.execute_workflow) for scenario in request["scenarios"]]
    print(json.dumps(results))


if __name__ == "__main__":
    main()
