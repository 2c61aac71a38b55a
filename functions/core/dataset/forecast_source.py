"""Fetch a forecast of the grid from where the owner of a stack says: an object of the data store, or one URL."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from functions.core.dataset.forecast import LARGEST, NoForecast, parse
from functions.core.storage.objects import Missing, TooLarge
from interface import layout
from interface.window import NOW

if TYPE_CHECKING:
    from functions.core.dataset.forecast import Forecast
    from functions.core.storage.objects import Objects

SECONDS = 10.0
"""How long an answer may take, from the connection to its last byte."""
_LATE = f"took longer than {SECONDS:.0f} seconds"


def read(source: str, data: Objects, model: str, now: float) -> Forecast:
    """Return the forecast of `source`, a URL or `layout.FORECAST`, as of `now`. Raise `NoForecast`.

    Whatever goes wrong is one: no forecast keeps a training from its deadline.
    """
    try:
        return parse(_of_store(data, model) if source == layout.FORECAST else _fetched(source, now))
    except NoForecast:
        raise
    except Exception as problem:
        raise NoForecast(f"{shown(source)} could not be read: {type(problem).__name__}") from None


def shown(source: str) -> str:
    """Return what people may know of a source: of a URL only the host, since the rest may hold a key."""
    return source if source == layout.FORECAST else urlsplit(source).netloc


def _of_store(data: Objects, model: str) -> bytes:
    key = f"{model}/{layout.FORECAST}"
    try:
        return data.get(key, at_most=LARGEST)
    except Missing:
        raise NoForecast(f"there is no {key} in the data store") from None
    except TooLarge as problem:
        raise NoForecast(str(problem)) from None


def _fetched(url: str, now: float) -> bytes:
    """Get a URL. No redirect is followed: it is asked for one place, which the owner names."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection  # noqa: PLC0415 - TLS takes long to import

    parts = urlsplit(url.replace(NOW, datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%MZ")))
    connection = (HTTPSConnection if parts.scheme == "https" else HTTPConnection)(parts.netloc, timeout=SECONDS)
    late = threading.Event()

    def hang_up() -> None:
        late.set()
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(SECONDS, hang_up)
    watch.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", path, headers={"Accept": "application/json, text/csv"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise NoForecast(f"{parts.netloc} answered {answer.status}; accepted: 200, and no redirect is followed")
        content = answer.read(LARGEST + 1)
    except (OSError, HTTPException) as problem:
        text = f"does not answer: {type(problem).__name__}"
        raise NoForecast(f"{parts.netloc} {_LATE if late.is_set() else text}") from None
    finally:
        watch.cancel()
        connection.close()
    if late.is_set():
        raise NoForecast(f"{parts.netloc} {_LATE}")
    return content
