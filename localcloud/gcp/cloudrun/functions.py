"""Every function of the project: its address, who may call it, and the copies behind it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from localcloud.gcp.cloudrun.build import TARGET, Build
from localcloud.gcp.cloudrun.instance import Instance, InstanceFailed
from localcloud.gcp.cloudrun.metadata import Metadata
from localcloud.gcp.cloudrun.service import PENDING_SECONDS, Revision, Service
from localcloud.gcp.iam.accounts import Accounts, bearer
from localcloud.gcp.iam.bindings import Bindings
from localcloud.support.http_server import HttpServer, Request, Response

LARGEST = 32 * 1024 * 1024
"""Bytes of a request. https://cloud.google.com/run/quotas#request_limits"""
TIDY_SECONDS = 15
INVOKE = "run.routes.invoke"


@dataclass(frozen=True, kw_only=True)
class FunctionArgs:
    name: str
    build: Build
    variables: Mapping[str, str]
    account: str
    """The address of the account that it runs as."""
    timeout_seconds: float
    instances: int
    concurrency: int
    least: int = 0
    """How many copies wait even when there are no calls."""


@dataclass(kw_only=True)
class _Function:
    server: HttpServer
    account: str
    metadata: Metadata
    service: Service
    log: Path


class Functions:
    """The functions of one project, each at a URL of its own on the loopback address.

    A call needs a token of an account that has `run.invoker` on the function, made out for
    the function's URL. A function sees exactly its own variables, those that the runtime
    contract gives it, and `shared`: where this machine's services are.
    """

    def __init__(
        self,
        workspace: Path,
        accounts: Accounts,
        bindings: Bindings,
        *,
        region: str,
        shared: Mapping[str, str],
        pending_seconds: float = PENDING_SECONDS,
    ) -> None:
        self._workspace = workspace
        self._accounts = accounts
        self._bindings = bindings
        self._region = region
        self._shared = shared
        self._pending_seconds = pending_seconds
        self._lock = threading.Lock()
        self._all: dict[str, _Function] = {}
        self._over = threading.Event()
        threading.Thread(target=self._tidy_often, name="idle copies", daemon=True).start()

    def create(self, args: FunctionArgs) -> str:
        """Deploy a function; returns its URL. Raises `InstanceFailed`, with its last words, if it does not start."""
        folder = self._workspace / args.name
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "log"
        log.touch()
        metadata = Metadata(self._accounts, args.account, self._region)
        function = _Function(
            server=HttpServer(lambda request: self._answer(args.name, request), limit=LARGEST, refusal=_refusal),
            account=args.account,
            metadata=metadata,
            service=Service(self._revision(args, metadata, log), pending_seconds=self._pending_seconds),
            log=log,
        )
        # It is known before it starts, so that whoever stops everything in the meantime stops this, too.
        with self._lock:
            self._all[args.name] = function
        if self._over.is_set():
            self.stop()
        try:
            function.service.begin()
        except BaseException:
            self.delete(args.name)
            raise
        return function.server.url

    def change(self, args: FunctionArgs) -> None:
        """Deploy another revision, at the same URL. Raises `InstanceFailed`, and then the old one is still served."""
        function = self._all[args.name]
        before = function.metadata
        same = function.account == args.account
        metadata = before if same else Metadata(self._accounts, args.account, self._region)
        try:
            function.service.change(self._revision(args, metadata, function.log))
        except BaseException:
            if not same:
                metadata.close()
            raise
        function.account, function.metadata = args.account, metadata
        if not same:
            before.close()

    def delete(self, name: str) -> None:
        with self._lock:
            function = self._all.pop(name, None)
        if function:
            _close(function)

    def copies(self, name: str) -> tuple[Instance, ...]:
        """The copies of a function at this moment."""
        return self._all[name].service.copies

    @property
    def groups(self) -> tuple[int, ...]:
        """The process groups of all copies of all functions."""
        with self._lock:
            return tuple(copy.group for function in self._all.values() for copy in function.service.copies)

    def lines(self, name: str, limit: int) -> list[str]:
        """The newest lines of all copies of a function, oldest first."""
        return self._all[name].log.read_text(encoding="utf-8", errors="replace").splitlines()[-limit:]

    def tidy(self) -> None:
        """End the copies that nobody has needed for a while; done by itself every few seconds."""
        with self._lock:
            services = [function.service for function in self._all.values()]
        for service in services:
            # One that does not start now is tried again the next time, and its last words are in its log.
            with suppress(InstanceFailed):
                service.tidy()

    def stop(self) -> None:
        """End everything. Safe to call twice."""
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
            start=lambda: Instance(args.build, variables, log),
            timeout_seconds=args.timeout_seconds,
            instances=args.instances,
            concurrency=args.concurrency,
            least=args.least,
        )

    def _answer(self, name: str, request: Request) -> Response:
        function = self._all.get(name)
        if function is None:
            return _said(404, "The requested URL was not found on this server.")
        token = bearer(request.header("authorization"))
        if token is None:
            return _said(403, "The request was not authenticated.")
        caller = self._accounts.who(token, function.server.url)
        if caller is None:
            return _said(401, "The access token could not be verified.")
        service = f"projects/{self._accounts.project}/locations/{self._region}/services/{name}"
        if not self._bindings.allows(caller, INVOKE, service):
            return _said(403, "The request was not authorized to invoke this service.")
        return function.service.answer(_handed_on(request))

    def _tidy_often(self) -> None:
        while not self._over.wait(TIDY_SECONDS):
            self.tidy()


def _handed_on(request: Request) -> Request:
    """As Cloud Run hands it on: with a trace, and without a token that could be used again."""
    headers = {key: value for key, value in request.headers.items() if key.lower() != "authorization"}
    trace = {"X-Cloud-Trace-Context": f"{uuid.uuid4().hex}/{uuid.uuid4().int >> 66};o=1"}
    given = {} if request.header("x-cloud-trace-context") else trace
    return Request(method=request.method, path=request.path, headers={**headers, **given}, body=request.body)


def _close(function: _Function) -> None:
    function.server.close()
    function.service.close()
    function.metadata.close()


def _said(status: int, text: str) -> Response:
    return Response(status, [("Content-Type", "text/plain")], text.encode())


def _refusal(status: int) -> Response:
    return _said(status, {413: "Request size was too large."}.get(status, "Bad Request"))
