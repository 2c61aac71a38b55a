"""A function as Cloud Run serves it: copies are started for calls, and ended when they are idle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from localcloud.gcp.cloudrun.instance import Instance, InstanceFailed, InstanceGone, TookTooLong
from localcloud.support.http_server import Request, Response

PENDING_SECONDS = 10
"""How long a call waits for a copy when the maximum number of them is busy:
https://cloud.google.com/run/docs/about-instance-autoscaling#max-instances"""
IDLE_SECONDS = 60
"""After which an idle copy is ended; the last one stays."""
LARGEST_RESPONSE = 32 * 1024 * 1024
"""Bytes. https://cloud.google.com/run/quotas#request_limits"""


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One deployment of a function."""

    start: Callable[[], Instance]
    """Starts another copy, without waiting until it listens."""
    timeout_seconds: float
    max_instances: int
    """The maximum number of copies at once."""
    concurrency: int
    """The maximum number of calls that one copy processes at once."""
    min_instances: int = 0
    """The number of copies that are kept when there are no calls."""


class Service:
    """The copies of one function. There are none until `begin`."""

    def __init__(self, revision: Revision, *, pending_seconds: float = PENDING_SECONDS) -> None:
        self._revision = revision
        self._pending_seconds = pending_seconds
        self._change = threading.Condition()
        self._closed = False
        self._stopped = False
        self._copies: dict[Instance, Revision] = {}

    def begin(self) -> None:
        """Start the minimum number of copies, and at least one, as a deployment to Cloud Run does.

        Raises `InstanceFailed` if one does not begin to listen.
        """
        self._fill(self._revision)

    @property
    def copies(self) -> tuple[Instance, ...]:
        with self._change:
            return tuple(self._copies)

    def change(self, revision: Revision, *, tried: bool = True) -> None:
        """Serve another revision as soon as a copy of it listens; copies of the old one finish their calls.

        Without `tried` the first copy is started by the first call. Raises `InstanceFailed` and keeps the old revision
        if the new one does not start.
        """
        try:
            if tried and not self._stopped:
                self._fill(revision)
        except BaseException:
            self._retire(lambda _, of: of is revision)
            raise
        with self._change:
            self._revision = revision
        self._retire(lambda _, of: of is not revision)

    def stop(self, stopped: bool) -> None:
        """Have no copies, and answer no call, or go on as before: calls that are under way are finished.

        https://cloud.google.com/run/docs/configuring/services/manual-scaling
        """
        with self._change:
            self._stopped = stopped
        if stopped:
            self._retire(lambda _, __: True)

    @property
    def stopped(self) -> bool:
        """Whether it answers no call."""
        return self._stopped

    def answer(self, request: Request) -> Response:
        """Return a copy's response, or Cloud Run's error: https://cloud.google.com/run/docs/troubleshooting."""
        try:
            copy, revision = self._take()
        except TookTooLong:
            return _text_response(429, "The request was aborted because there was no available instance.")
        except InstanceFailed:
            return _text_response(503, "The request failed because the instance could not be started.")
        try:
            response = copy.call(request, revision.timeout_seconds)
        except TookTooLong:
            # Cloud Run lets it continue; here a call that timed out has no later effect.
            self._drop(copy)
            return _text_response(
                504, "The request has been terminated because it has reached the maximum request timeout."
            )
        except InstanceGone:
            self._drop(copy)
            return _text_response(503, "The connection to the instance had an error.")
        except BaseException:
            self._drop(copy)
            raise
        self._give_back(copy)
        if len(response.body) > LARGEST_RESPONSE:
            return _text_response(500, "Response size was too large.")
        return response

    def tidy(self) -> None:
        """End the copies that were idle for `IDLE_SECONDS`, but keep the minimum number of them, and at least one.

        Copies whose process has ended are removed, and replaced up to the minimum. Raises
        `InstanceFailed` when one of these does not begin to listen.
        """
        if self._stopped:
            self._retire(lambda _, __: True)
            return
        idle_since = time.monotonic() - IDLE_SECONDS
        with self._change:
            revision = self._revision
            alive = sorted((copy for copy in self._copies if not copy.over), key=lambda copy: copy.used, reverse=True)
        needed = alive[: max(revision.min_instances, 1)]
        self._retire(lambda copy, _: copy.over or (copy not in needed and copy.used < idle_since))
        if len(needed) < revision.min_instances:
            self._fill(revision)

    def close(self) -> None:
        """End every copy, even during a call. Safe to call twice."""
        with self._change:
            self._closed = True
            copies, self._copies = tuple(self._copies), {}
        for copy in copies:
            copy.stop()

    def _take(self) -> tuple[Instance, Revision]:
        """Return a copy that can process one more call, started if need be, and its revision.

        Raises `TookTooLong` when there is none within the pending time, and `InstanceFailed`.
        """
        end = time.monotonic() + self._pending_seconds
        with self._change:
            while True:
                revision = self._revision
                current = [copy for copy, of in self._copies.items() if of is revision and not copy.over]
                if free := [copy for copy in current if copy.listens and copy.busy < revision.concurrency]:
                    copy = max(free, key=lambda copy: copy.used)
                    copy.busy += 1
                    copy.used = time.monotonic()
                    return copy, revision
                if len(current) < revision.max_instances:
                    copy = self._start(revision)
                    break
                if not self._change.wait(end - time.monotonic()):
                    raise TookTooLong(f"no copy was free within {self._pending_seconds:g} s")
        self._begin(copy)
        return copy, revision

    def _fill(self, revision: Revision) -> None:
        """Start copies of a revision up to its minimum, and at least one."""
        while copy := self._another(revision):
            self._begin(copy)
            with self._change:
                copy.busy = 0
                self._change.notify_all()

    def _another(self, revision: Revision) -> Instance | None:
        with self._change:
            count = sum(of is revision and not copy.over for copy, of in self._copies.items())
            return self._start(revision) if count < max(revision.min_instances, 1) else None

    def _start(self, revision: Revision) -> Instance:
        """Start another copy, which counts as busy until it listens. Raises `InstanceFailed` after `close`."""
        if self._closed:
            raise InstanceFailed("the function is gone")
        copy = revision.start()
        copy.busy = 1
        self._copies[copy] = revision
        return copy

    def _begin(self, copy: Instance) -> None:
        try:
            copy.begin()
        except BaseException:
            self._drop(copy)
            raise

    def _give_back(self, copy: Instance) -> None:
        with self._change:
            copy.busy -= 1
            copy.used = time.monotonic()
            stale = self._copies.get(copy) is not self._revision
            self._change.notify_all()
        if stale and not copy.busy:
            self._drop(copy)

    def _drop(self, copy: Instance) -> None:
        with self._change:
            self._copies.pop(copy, None)
            self._change.notify_all()
        copy.stop()

    def _retire(self, which: Callable[[Instance, Revision], bool]) -> None:
        with self._change:
            gone = [copy for copy, of in self._copies.items() if not copy.busy and which(copy, of)]
            for copy in gone:
                del self._copies[copy]
        for copy in gone:
            copy.stop()


def _text_response(status: int, text: str) -> Response:
    return Response(status, [("Content-Type", "text/plain")], text.encode())
