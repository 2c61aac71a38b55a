"""Runs documents in workflows-emulator; started by the interpreter that has it.

Reads [{"source", "argument", "seconds"}] and writes, for each, {"result"}, {"error": its kind and
payload}, or {"hangs"} when the seconds are over.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from importlib import import_module
from typing import Any


def run(execute: Any, document: dict[str, Any]) -> dict[str, Any]:
    outcome: dict[str, Any] = {"hangs": True}

    def go() -> None:
        try:
            result = execute(document["source"], document["argument"])
            outcome.update(result=result, hangs=False)
        except BaseException as problem:
            payload = getattr(problem, "payload", str(problem))
            outcome.update(error=[type(problem).__name__, payload], hangs=False)

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    thread.join(document["seconds"])
    return {key: value for key, value in outcome.items() if value is not False}


def main() -> None:
    logging.disable(logging.CRITICAL)
    execute = import_module("workflows_emulator.main").execute_workflow
    print(json.dumps([run(execute, document) for document in json.load(sys.stdin)], default=str))


if __name__ == "__main__":
    main()
