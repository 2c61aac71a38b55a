"""The stack that is up on this machine: its process is asked over a loopback address that only its user can read."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sml.mistake import Mistake, Unreachable
from sml.process import is_alive

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".local"
CONTROL = "control.json"
OWNER = "up.pid"
"""Where `make up` writes its process from the moment that it begins."""
PATIENCE_SECONDS = 600


class Here:
    """Asks the stack that `make up` runs."""

    def __init__(self, state: Path | None = None) -> None:
        """`state` is the folder of its files. Raise `Unreachable` where no stack is up."""
        self._path = (state or STATE) / CONTROL
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            self._address = {"url": str(found["url"]), "secret": str(found["secret"])}
        except (OSError, ValueError, LookupError, TypeError):
            raise self._none() from None

    def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        """Run a command in the stack's process, and return the fields of its response.

        Raise `Unreachable` where it has ended, and `Mistake` with its reason where it refuses.
        """
        headers = {"authorization": f"Bearer {self._address['secret']}", "content-type": "application/json"}
        connection = http.client.HTTPConnection(urlsplit(self._address["url"]).netloc, timeout=PATIENCE_SECONDS)
        try:
            connection.request("POST", f"/{command}", json.dumps(fields), headers)
            response = connection.getresponse()
            result = json.loads(response.read())
        except (ConnectionError, http.client.HTTPException, json.JSONDecodeError, TimeoutError):
            raise self._none() from None
        finally:
            connection.close()
        if response.status == 404:
            raise Mistake(
                f"the process that is up here knows no {command}: `make cloud` runs a cloud without it, and a stack"
                f" that an older release runs has to be started again; {result['message']}"
            )
        if response.status != 200:
            raise Mistake(result["message"])
        return result

    def _none(self) -> Unreachable:
        if (process := self._starting()) is not None:
            return Unreachable(
                f"`make up` is deploying its stack, in process {process}: wait until it prints an endpoint, then again"
            )
        return Unreachable(
            f"no stack is up here ({self._path} leads nowhere): start one with `make up`, or name one with --stack"
        )

    def _starting(self) -> int | None:
        """Return the process of a `make up` that has not deployed its stack yet; None where there is none."""
        if self._path.exists():
            return None
        try:
            process = int(self._path.with_name(OWNER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return process if is_alive(process) else None
