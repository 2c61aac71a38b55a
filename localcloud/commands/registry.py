"""Verifies the model registry of the running stack, or of any stack by the URL of its models store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.commands.control import FILE, ask
from localcloud.commands.progress import Progress
from localcloud.engine.cloud import CloudFailed
from localcloud.engine.stack import LocalStack
from localcloud.engine.stack_file import ROOT

CHECKER = "functions.commands.registry"
"""The module that checks, in a process of its own: it runs the code of the functions, and this one none of it."""
KIND = 9
"""Width, in columns, of what a line is about."""
CERTIFICATES = "SSL_CERT_FILE"


def main(
    progress: Progress,
    state: Path,
    action: str,
    model: str | None,
    url: str | None,
    *,
    repair: bool,
    champion: str | None,
) -> int:
    """Check every object of the registry, and print each fault with its key and what happens to callers meanwhile.

    `action` is "verify", `url` that of a models store, None for the stack of `make up`. Returns 0 where all
    is whole or was mended, 1 where a fault is left, 2 where the store could not be read. Raises `CloudFailed`
    when no stack is up.
    """
    if champion is not None and not repair:
        raise CloudFailed("--champion says which version is to be live: it goes with --repair")
    where = {"url": url} if url else ask(state / FILE, "registry")
    request: dict[str, Any] = {**where, "models": [model] if model else None, "repair": repair, "champion": champion}
    certificate = request.pop("certificate", None)
    environment: dict[str, str] = {**os.environ, **({CERTIFICATES: certificate} if certificate else {})}
    checked = subprocess.run(
        [sys.executable, "-m", CHECKER],
        check=False,
        input=json.dumps(request),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    for line in checked.stdout.splitlines():
        said = json.loads(line)
        progress.plain(f"  {said['kind']:<{KIND}} {said['text']}")
    return checked.returncode


def entrance(stack: LocalStack) -> Mapping[str, Any]:
    """Return how the models store of a running stack is opened. Raises `CloudFailed` before its first deployment."""
    url = stack.outputs.get("models_url")
    if url is None:
        raise CloudFailed(f"nothing is deployed yet in the stack {stack.file.name}")
    reached = stack.cloud.entrance
    certificate = str(reached.certificate.resolve()) if reached.certificate else None
    return {"url": url, "options": dict(reached.store_options), "certificate": certificate}
