"""The functions of a project: their addresses, the check of who calls them, and the copies that serve them."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.engine.events import Answer, Event, Events
from localcloud.gcp.cloudrun.build import TARGET, Build
from localcloud.gcp.cloudrun.errors import errors
from localcloud.gcp.cloudrun.instance import Instance, InstanceFailed, Size
from localcloud.gcp.cloudrun.metadata import Metadata
from localcloud.gcp.cloudrun.service import PENDING_SECONDS, Revision, Service
from localcloud.gcp.iam.accounts import Accounts, bearer
from localcloud.gcp.iam.bindings import Bindings
from localcloud.support.http_server import HttpServer, Request, Response
from localcloud.support.tail import Tail

LARGEST_REQUEST = 32 * 1024 * 1024
"""Bytes of a request. https://cloud.google.com/run/quotas#request_limits"""
TIDY_SECONDS = 15
STOPPED = "The service is disabled: it is scaled to zero instances."
INVOKE = "run.routes.invoke"


@dataclass(frozen=True, kw_only=True)
class FunctionArgs:
    """A function as it is declared."""

    name: str
    build: Build
    variables: Mapping[str, str]
    account: str
    """The email address of the service account that it runs as."""
    timeout_seconds: float
    max_instances: int
    concurrency: int
    min_instances: int = 0
    """The number of copies that are kept when there are no calls."""
    size: Size | None = None
    tried: bool = True
    """Whether a copy is started when it is deployed, which shows that it can."""


@dataclass(kw_only=True)
class _Function:
    args: FunctionArgs
    server: HttpServer
    account: str
    metadata: Metadata
    service: Service
    log: Path
    tail: Tail
    scaling: Mapping[str, Any] = field(default_factory=dict)


class Functions:
    """The functions of one project, each at a URL of its own on the loopback address.

    A call needs an identity token whose audience is the function's URL, of an account that has
    `run.invoker` on it; or it has the token `owner`, whose holder may do everything.

    A function's environment holds its own variables, those of Cloud Run's
    runtime contract, and `shared`: the addresses of this machine's services.
    """

    def __init__(
        self,
        workspace: Path,
        accounts: Accounts,
        bindings: Bindings,
        *,
        region: str,
        shared: Mapping[str, str],
        owner: str | None = None,
        pending_seconds: float = PENDING_SECONDS,
    ) -> None:
        self._workspace = workspace
        self._accounts = accounts
        self._bindings = bindings
        self._region = region
        self._shared = shared
        self._owner = owner
        self._pending_seconds = pending_seconds
        self._lock = threading.Lock()
        self._all: dict[str, _Function] = {}
        self._answered = Events()
        self._over = threading.Event()
        threading.Thread(target=self._tidy_regularly, name="idle copies", daemon=True).start()

    def create(self, args: FunctionArgs) -> str:
        """Deploy a function and return its URL. Raises `InstanceFailed`, with its last log lines, if it fails."""
        folder = self._workspace / args.name
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "log"
        log.touch()
        metadata = Metadata(self._accounts, args.account, self._region)
        function = _Function(
            args=args,
            server=HttpServer(
                lambda request: self._counted(args.name, request), limit=LARGEST_REQUEST, refusal=_refusal
            ),
            account=args.account,
            metadata=metadata,
            service=Service(self._revision(args, metadata, log), pending_seconds=self._pending_seconds),
            log=log,
            tail=Tail(log),
        )
        # It is registered before it starts, so that a `stop` in the meantime stops it, too.
        with self._lock:
            self._all[args.name] = function
        if self._over.is_set():
            self.stop()
        try:
            if args.tried:
                function.service.begin()
        except BaseException:
            self.delete(args.name)
            raise
        return function.server.url

    def change(self, args: FunctionArgs) -> None:
        """Deploy another revision at the same URL. Raises `InstanceFailed` and keeps the old one if it fails."""
        function = self._all[args.name]
        before = function.metadata
        same = function.account == args.account
        metadata = before if same else Metadata(self._accounts, args.account, self._region)
        try:
            function.service.change(self._revision(args, metadata, function.log), tried=args.tried)
        except BaseException:
            if not same:
                metadata.close()
            raise
        function.args, function.account, function.metadata = args, args.account, metadata
        if not same:
            before.close()

    def scale(self, name: str, scaling: Mapping[str, Any]) -> None:
        """Set the scale of a service: a fixed number of instances, which is none here, or what calls ask for.

        Raises `ValueError` for another number, and for one bound of two.
        """
        if scaling.get("scalingMode") == "MANUAL":
            if scaling.get("manualInstanceCount", 0) != 0:
                raise ValueError("manualInstanceCount: accepted here: 0")
        elif ("minInstanceCount" in scaling) != ("maxInstanceCount" in scaling):
            raise ValueError("scaling: minInstanceCount and maxInstanceCount are accepted together, or neither")
        function = self._all[name]
        function.scaling = dict(scaling)
        function.service.stop(scaling.get("scalingMode") == "MANUAL")

    def scaling(self, name: str) -> Mapping[str, Any]:
        """Return the scale of a service; nothing where none was set."""
        return self._all[name].scaling

    def has(self, name: str) -> bool:
        """Return whether a function is deployed."""
        with self._lock:
            return name in self._all

    def deployed(self) -> Mapping[str, tuple[FunctionArgs, str]]:
        """Return what is deployed and its URL, by name."""
        with self._lock:
            return {name: (function.args, function.server.url) for name, function in self._all.items()}

    def delete(self, name: str) -> None:
        """Delete a function and end its copies. An unknown one is ignored."""
        with self._lock:
            function = self._all.pop(name, None)
        if function:
            _close(function)

    def copies(self, name: str) -> tuple[Instance, ...]:
        """Return the copies of a function at this moment."""
        return self._all[name].service.copies

    @property
    def groups(self) -> tuple[int, ...]:
        """The process groups of all copies of all functions."""
        with self._lock:
            return tuple(copy.group for function in self._all.values() for copy in function.service.copies)

    def lines(self, name: str, limit: int) -> list[str]:
        """Return the newest `limit` lines that all copies of a function logged, oldest first."""
        return self._all[name].log.read_text(encoding="utf-8", errors="replace").splitlines()[-limit:]

    def events(self) -> list[Event]:
        """Return the errors that functions logged since the last call, and what ended their copies."""
        with self._lock:
            tails = [(name, function.tail) for name, function in self._all.items()]
        return [event for name, tail in tails for event in errors(name, tail.lines())]

    def tidy(self) -> None:
        """End idle copies, as a thread does every `TIDY_SECONDS`."""
        with self._lock:
            services = [function.service for function in self._all.values()]
        for service in services:
            # A copy that does not start now is tried again the next time; its log says why.
            with suppress(InstanceFailed):
                service.tidy()

    def stop(self) -> None:
        """Delete every function. Safe to call twice."""
        self._over.set()
        with self._lock:
            functions, self._all = list(self._all.values()), {}
        for function in functions:
            _close(function)

    def _revision(self, args: FunctionArgs, metadata: Metadata, log: Path) -> Revision:
        variables = {
            **args.variables,
            **self._shared,
            "GCE_METADATA_HOST": metadata.host,
            "GCE_METADATA_IP": metadata.host,
            "K_SERVICE": args.name,
            "K_REVISION": f"{args.name}-{uuid.uuid4().hex[:8]}",
            "K_CONFIGURATION": args.name,
            "FUNCTION_TARGET": TARGET,
            "FUNCTION_SIGNATURE_TYPE": "http",
            "LOG_EXECUTION_ID": "true",
        }
        return Revision(
            start=lambda: Instance(args.build, variables, log, args.size),
            timeout_seconds=args.timeout_seconds,
            max_instances=args.max_instances,
            concurrency=args.concurrency,
            min_instances=args.min_instances,
        )

    def _counted(self, name: str, request: Request) -> Response:
        response = self._answer(name, request)
        self._answered.count(Answer(at=time.time(), status=response.status, by=name))
        return response

    @property
    def answers(self) -> list[Answer]:
        """The last answers of all functions, oldest first."""
        return self._answered.answers

    def _answer(self, name: str, request: Request) -> Response:
        """Check the caller and pass the request to a copy, with Cloud Run's error responses."""
        function = self._all.get(name)
        if function is None:
            return _text_response(404, "The requested URL was not found on this server.")
        token = bearer(request.header("authorization"))
        if token is None:
            return _text_response(403, "The request was not authenticated.")
        if self._owner is not None and token == self._owner:
            return _answered(function.service, request)
        caller = self._accounts.principal(token, function.server.url)
        if caller is None:
            return _text_response(401, "The access token could not be verified.")
        service = f"projects/{self._accounts.project}/locations/{self._region}/services/{name}"
        if not self._bindings.allows(caller, INVOKE, service):
            return _text_response(403, "The request was not authorized to invoke this service.")
        return _answered(function.service, request)

    def _tidy_regularly(self) -> None:
        while not self._over.wait(TIDY_SECONDS):
            self.tidy()


def _answered(service: Service, request: Request) -> Response:
    return _text_response(503, STOPPED) if service.stopped else service.answer(_forwarded(request))


def _forwarded(request: Request) -> Request:
    """Return the request as the function gets it: with a trace header, and without the caller's token."""
    headers = {key: value for key, value in request.headers.items() if key.lower() != "authorization"}
    trace = {"X-Cloud-Trace-Context": f"{uuid.uuid4().hex}/{uuid.uuid4().int >> 66};o=1"}
    added = {} if request.header("x-cloud-trace-context") else trace
    return Request(method=request.method, path=request.path, headers={**headers, **added}, body=request.body)


def _close(function: _Function) -> None:
    function.server.close()
    function.service.close()
    function.metadata.close()


def _text_response(status: int, text: str) -> Response:
    return Response(status, [("Content-Type", "text/plain")], text.encode())


def _refusal(status: int) -> Response:
    return _text_response(status, {413: "Request size was too large."}.get(status, "Bad Request"))
