"""The embedded AWS: one ministack process on the loopback interface, with IAM enforced and TLS on."""

from __future__ import annotations

import http.client
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from localcloud.aws.happenings import FILE
from localcloud.engine.cloud import CloudFailed
from localcloud.support.ports import LOOPBACK, free_port
from localcloud.support.process import Child, answers_in_time, persist
from localcloud.support.workspace import clear

LAUNCHER = Path(__file__).with_name("launcher.py")
START_SECONDS = 60


@dataclass(frozen=True)
class Root:
    """The credentials of the root user, who is never denied: only the deployment itself may use them.

    They are made anew for each emulator, so that no other user of this machine knows them. The emulator takes whoever
    names the key for the root user, and does not check a signature.
    """

    key: str = field(default_factory=lambda: f"AKIA{secrets.token_hex(16).upper()}", repr=False)
    secret: str = field(default_factory=lambda: secrets.token_hex(20), repr=False)


class Emulator:
    """A ministack process.

    `python` is the interpreter of its environment; functions run in the same interpreter,
    without the environment's packages. Everything it writes is below `workspace`, which is
    removed at the end, except the log. With `concurrency` all functions together have so many copies.
    """

    def __init__(
        self,
        python: Path,
        workspace: Path,
        *,
        region: str,
        concurrency: int | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.region = region
        self.workspace = workspace
        self.log = workspace / "emulator.log"
        self.port = 0
        self.root = Root()
        self._python = python
        self._concurrency = concurrency
        self._progress = progress
        self._child: Child | None = None

    @property
    def endpoint(self) -> str:
        return f"https://{LOOPBACK}:{self.port}"

    @property
    def certificate(self) -> Path:
        """The certificate that a client must trust."""
        return self._work / "tls.crt"

    @property
    def happenings(self) -> Path:
        """The file that it writes a line to for whatever happens in it."""
        return self._work / FILE

    @property
    def pid(self) -> int:
        if self._child is None:
            raise CloudFailed("the emulator is not running")
        return self._child.pid

    @property
    def _work(self) -> Path:
        return self.workspace / "work"

    def start(self) -> Self:
        """Start it and wait until it answers. Raises `CloudFailed` and leaves nothing running when it does not."""
        if not self._python.exists():
            raise CloudFailed(f"the emulator's interpreter {self._python} does not exist; `make up` installs it")
        if not persist(lambda last: self._healthy(self._launch(), last=last), self.stop):
            raise CloudFailed(self._message("did not start"))
        return self

    def check(self) -> None:
        """Raise `CloudFailed` if it has ended by itself."""
        if self._child is not None and self._child.code() is not None:
            raise CloudFailed(self._message(f"ended with code {self._child.code()}"))

    def stop(self) -> None:
        """Stop it and its workers, and remove what they wrote. Safe to call twice."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        clear(self._work)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _launch(self) -> Child:
        temporary = self._work / "tmp"
        temporary.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(temporary),
            "TMPDIR": str(temporary),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": LOOPBACK,
            "MINISTACK_REGION": self.region,
            "MINISTACK_HOST": "localhost",
            "USE_SSL": "1",
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": self.root.key,
            "AWS_SECRET_ACCESS_KEY": self.root.secret,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LOG_LEVEL": "INFO",
            **({} if self._concurrency is None else {"LAMBDA_ACCOUNT_CONCURRENCY": str(self._concurrency)}),
        }
        command = [str(self._python), "-P", str(LAUNCHER), str(self._work), str(self.happenings)]
        self._child = Child(command, env=environment, cwd=temporary, log=self.log)
        return self._child

    def _healthy(self, child: Child, *, last: bool) -> bool:
        """Wait until it answers. Return False when it ended at once, as it does when its port was taken meanwhile.

        Raises `CloudFailed` after `START_SECONDS`, and when the last attempt ended.
        """

        def waiting(seconds: float) -> None:
            self._progress(f"starting the embedded AWS, {seconds:.0f} s")

        try:
            healthy = answers_in_time(child, self._answers, waiting, START_SECONDS)
        except TimeoutError as error:
            raise CloudFailed(self._message(str(error))) from error
        if not healthy and last:
            self.check()
        return healthy

    def _answers(self) -> bool:
        if not self.certificate.exists():
            return False
        context = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection(LOOPBACK, self.port, timeout=5, context=context)
        try:
            connection.request("GET", "/_ministack/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _message(self, event: str) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:] if self.log.exists() else []
        return "\n  ".join([f"the embedded AWS {event}; its log is {self.log}", *lines])
