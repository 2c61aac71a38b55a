"""Open a store by its URL."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from obstore.store import GCSStore, LocalStore, S3Store

from functions.core.storage.objects import Objects

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obstore.store import ClientConfig, RetryConfig


def open_store(url: str, *, options: Mapping[str, Any] | None = None, patience_seconds: float = 20) -> Objects:
    """Open the store at `s3://bucket`, `gs://bucket`, `file:///folder` or `memory://` (new and empty).

    `options` are passed to the cloud's client unchanged. A request is retried for at most
    `patience_seconds`. Raises `ValueError` on another scheme.
    """
    scheme, _, path = url.partition("://")
    bucket, _, folder = path.partition("/")
    prefix = folder.strip("/") or None
    patience = timedelta(seconds=patience_seconds)
    client: ClientConfig = {"timeout": patience, "connect_timeout": timedelta(seconds=3)}
    retry: RetryConfig = {"max_retries": 5, "retry_timeout": patience}
    store_options = dict(options or {})
    match scheme:
        case "s3":
            reopen = partial(S3Store, bucket, prefix=prefix, client_options=client, retry_config=retry, **store_options)
            store = reopen()
            return Objects(store, reopen, signer=store)
        case "gs":
            # Only an emulator is reached without TLS, and it has no keys to sign with.
            emulated = str(store_options.get("base_url", "")).startswith("http://")
            client["allow_http"] = emulated
            # Else Cloud Storage unpacks what was uploaded with `content-encoding: gzip`, and leaves its size out.
            client["default_headers"] = {"accept-encoding": "gzip"}
            reopen = partial(
                GCSStore, bucket, prefix=prefix, client_options=client, retry_config=retry, **store_options
            )
            store = reopen()
            return Objects(store, reopen, signer=None if emulated else store)
        case "file":
            return Objects(LocalStore(f"/{folder}", mkdir=True))
        case "memory":
            return Objects.in_memory()
        case other:
            raise ValueError(
                f"{other!r} is no kind of store; accepted: s3://bucket, gs://bucket, file:///folder, memory://"
            )
