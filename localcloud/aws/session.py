"""Clients of the embedded AWS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ACCOUNT = "000000000000"
PARTITION = "aws"


class Session:
    """Creates boto3 clients for one identity, one for each service.

    Clients are shared between threads, because creating one takes longer than most calls.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        certificate: Path,
        region: str,
        key: str,
        secret: str,
        token: str | None = None,
        expose: Callable[[str], str] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.certificate = certificate
        self.region = region
        self.account = ACCOUNT
        self.quotas: Mapping[str, int] = {}
        """The account's quotas, by the names of `localcloud.aws.quotas`; what is not there has no bound."""
        self.expose = expose or (lambda api: f"{endpoint}/_aws/execute-api/{api}/$default")
        """Serves an API, by its id, on a plain HTTP address, and returns its URL."""
        self.credentials = {"access_key_id": key, "secret_access_key": secret}
        if token:
            self.credentials["token"] = token
        self._boto = boto3.Session(
            aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token, region_name=region
        )
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        """Return the client of a service, by boto3's name for it: `s3`."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._boto.client(
                    service,
                    endpoint_url=self.endpoint,
                    verify=str(self.certificate),
                    config=Config(
                        signature_version="s3v4" if service == "s3" else None,
                        s3={"addressing_style": "path"},
                        inject_host_prefix=False,
                        max_pool_connections=32,
                        read_timeout=900,
                        connect_timeout=10,
                        retries={"total_max_attempts": 2, "mode": "standard"},
                        request_checksum_calculation="when_required",
                        response_checksum_validation="when_required",
                    ),
                )
            return self._clients[service]

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """Return the ARN of a resource in this account and region, or with either part left empty."""
        scope = f"{self.region if region else ''}:{self.account if account else ''}"
        return f"arn:{PARTITION}:{service}:{scope}:{resource}"
