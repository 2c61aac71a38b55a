"""Puts a file into a store of the running stack."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from localcloud.commands.control import FILE, ask
from localcloud.commands.progress import Progress
from localcloud.engine.cloud import CloudFailed, Objects
from localcloud.engine.stack import LocalStack


class Stores(Protocol):
    """What has stores: a stack, or the cloud that it is deployed into."""

    def store(self, url: str) -> Objects:
        """Return the store at a URL."""
        ...


def main(progress: Progress, state: Path, url: str, key: str, file: Path) -> int:
    """Put a file into a store of the stack of `make up`, under a key.

    Raises `CloudFailed` when no stack is up, for a file that cannot be read, and for a store that is not there.
    """
    size = ask(state / FILE, "put", url=url, key=key, file=str(file.resolve()))["bytes"]
    progress.line("put", f"{size:,} bytes -> {url.rstrip('/')}/{key}")
    return 0


def put(stack: LocalStack, url: str, key: str, file: str) -> Mapping[str, Any]:
    """Put a file into a store, by the store's URL in the outputs, and return its number of bytes.

    Raises `CloudFailed` for another URL, and for a file that cannot be read.
    """
    stores = {value: name for name, value in stack.outputs.items() if name.endswith("_url")}
    if url.rstrip("/") not in {store.rstrip("/") for store in stores}:
        accepted = ", ".join(f"{store} ({name})" for store, name in stores.items()) or "none"
        raise CloudFailed(f"{url} is no store of the running stack; accepted: {accepted}")
    return write(stack, url.rstrip("/"), key, file)


def write(stores: Stores, url: str, key: str, file: str) -> Mapping[str, Any]:
    """Put a file into the store at a URL, and return its number of bytes. Raises `CloudFailed` if it cannot be read."""
    try:
        content = Path(file).read_bytes()
    except OSError as problem:
        raise CloudFailed(f"{file} cannot be read: {problem.strerror}") from None
    stores.store(url).put(key, content)
    return {"bytes": len(content)}
