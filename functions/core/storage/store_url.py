"""Open a store by its URL."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from obstore.store import GCSStore, LocalStore, S3Store

from functions.core.storage.objects import Objects
from functions.core.storage.whole_list import WholeList, ask_cloud_storage, ask_s3

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obstore.store import ClientConfig, RetryConfig


CLOUD_STORAGE = "https://storage.googleapis.com"


def open_store(
    url: str,
    *,
    options: Mapping[str, Any] | None = None,
    patience_seconds: float = 20,
    token: Callable[[], str] | None = None,
    passed_over: Callable[[str], object] = lambda _: None,
) -> Objects:
    """Open the store at `s3://bucket`, `gs://bucket`, `file:///folder` or `memory://` (new and empty).

    `options` are passed to the cloud's client unchanged. A request is retried for at most
    `patience_seconds`. A list passes over the keys that the client does not take, and tells
    `passed_over`; on Cloud Storage that needs `token`, which returns one of the function's
    account. Raises `ValueError` on another scheme.
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
            whole = WholeList(ask=ask_s3(bucket, store_options), passed_over=passed_over)
            return Objects(store, reopen, signer=store, whole=whole)
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
            bearer = store_options.get("bearer_token")
            token = token if bearer is None else lambda: bearer
            address = store_options.get("base_url", CLOUD_STORAGE)
            ask = None if token is None else ask_cloud_storage(bucket, address, token)
            whole = None if ask is None else WholeList(ask=ask, passed_over=passed_over)
            return Objects(store, reopen, signer=None if emulated else store, whole=whole)
        case "file":
            return Objects(LocalStore(f"/{folder}", mkdir=True))
        case "memory":
            return Objects.in_memory()
        case other:
            raise ValueError(
                f"{other!r} is no kind of store; accepted: s3://bucket, gs://bucket, file:///folder, memory://"
            )
