"""A function as Cloud Run serves it: copies that come with the calls, and go when there are none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from localcloud.gcp.cloudrun.instance import Instance, InstanceFailed, InstanceGone, TookTooLong
from localcloud.support.http_server import Request, Response

PENDING_SECONDS = 10
"""How long a call waits for a copy when there may be no more of them:
https://cloud.google.com/run/docs/about-instance-autoscaling#max-instances"""
IDLE_SECONDS = 60
"""After which a copy that nobody needs is ended; the last one stays."""
LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes. https://cloud.google.com/run/quotas#request_limits"""


@dataclass(frozen=True, kw_only=True)
class Revision:
    """What a function is from one deployment to the next."""

    start: Callable[[], Instance]
    """Starts another copy; it is about to listen."""
    timeout_seconds: float
    instances: int
    """The most copies at once."""
    concurrency: int
    """The most calls that one copy is at work on."""
    least: int = 0
    """How many copies wait even when there are no calls."""


class Service:
    """The copies of one function: none until `begin`."""

    def __init__(self, revision: Revision, *, pending_seconds: float = PENDING_SECONDS) -> None:
        self._revision = revision
        self._pending_seconds = pending_seconds
        self._change = threading.Condition()
        self._closed = False
        self._copies: dict[Instance, Revision] = {}

    def begin(self) -> None:
        """Start the copies that are to wait, or one, as a deployment to Cloud Run does to see that it starts.

        Raises `InstanceFailed` if one does not begin to listen.
        """
        self._fill(self._revision)

    @property
    def copies(self) -> tuple[Instance, ...]:
        with self._change:
            return tuple(self._copies)

    def change(self, revision: Revision) -> None:
        """Serve another revision, once a copy of it listens; copies of the old one finish their calls.

        Raises `InstanceFailed`, and then the old one is still served.
        """
        try:
            self._fill(revision)
        except BaseException:
            self._retire(lambda _, of: of is revision)
            raise
        with self._change:
            self._revision = revision
        self._retire(lambda _, of: of is not revision)

    def answer(self, request: Request) -> Response:
        """What a copy answers, or what Cloud Run says where none can: https://cloud.google.com/run/docs/troubleshooting."""
        try:
            copy, revision = self._take()
        except TookTooLong:
            return _said(429, "The request was aborted because there was no available instance.")
        except InstanceFailed:
            return _said(503, "The request failed because the instance could not be started.")
        try:
            answer = copy.call(request, revision.timeout_seconds)
        except TookTooLong:
            # Cloud Run lets it go on; here a call that was given up has no effect later on.
            self._drop(copy)
            return _said(504, "The request has been terminated because it has reached the maximum request timeout.")
        except InstanceGone:
            self._drop(copy)
            return _said(503, "The connection to the instance had an error.")
        except BaseException:
            self._drop(copy)
            raise
        self._give_back(copy)
        if len(answer.body) > LARGEST_ANSWER:
            return _said(500, "Response size was too large.")
        return answer

    def tidy(self) -> None:
        """End the copies that have had nothing to do for a while, but those that are to wait, and at least the last.

        Those that are dead are forgotten, and replaced where they are to wait. Raises
        `InstanceFailed` when one of these does not begin to listen.
        """
        old = time.monotonic() - IDLE_SECONDS
        with self._change:
            revision = self._revision
            alive = sorted((copy for copy in self._copies if not copy.over), key=lambda copy: copy.used, reverse=True)
        kept = alive[: max(revision.least, 1)]
        self._retire(lambda copy, _: copy.over or (copy not in kept and copy.used < old))
        if len(kept) < revision.least:
            self._fill(revision)

    def close(self) -> None:
        """End every copy, in the middle of a call or not. Safe to call twice."""
        with self._change:
            self._closed = True
            copies, self._copies = tuple(self._copies), {}
        for copy in copies:
            copy.stop()

    def _take(self) -> tuple[Instance, Revision]:
        """A copy with room for a call. Raises `TookTooLong` when there was none in time, and `InstanceFailed`."""
        end = time.monotonic() + self._pending_seconds
        with self._change:
            while True:
                revision = self._revision
                mine = [copy for copy, of in self._copies.items() if of is revision and not copy.over]
                if free := [copy for copy in mine if copy.listens and copy.busy < revision.concurrency]:
                    copy = max(free, key=lambda copy: copy.used)
                    copy.busy += 1
                    copy.used = time.monotonic()
                    return copy, revision
                if len(mine) < revision.instances:
                    copy = self._start(revision)
                    break
                if not self._change.wait(end - time.monotonic()):
                    raise TookTooLong(f"no copy was free within {self._pending_seconds:g} s")
        self._begin(copy)
        return copy, revision

    def _fill(self, revision: Revision) -> None:
        """Start as many copies of a revision as are to wait, and at least one."""
        while copy := self._another(revision):
            self._begin(copy)
            with self._change:
                copy.busy = 0
                self._change.notify_all()

    def _another(self, revision: Revision) -> Instance | None:
        with self._change:
            many = sum(of is revision and not copy.over for copy, of in self._copies.items())
            return self._start(revision) if many < max(revision.least, 1) else None

    def _start(self, revision: Revision) -> Instance:
        """Another copy, busy with its beginning. Raises `InstanceFailed` once the service is closed."""
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


def _said(status: int, text: str) -> Response:
    return Response(status, [("Content-Type", "text/plain")], text.encode())
