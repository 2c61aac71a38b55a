"""The interpreter and processor that functions are built for."""

from __future__ import annotations

import sys

from infra.processor import here
from infra.settings import Runtime
from infra.vocabulary import Platform

WHEELS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
"""The newest tag that every supported runtime can load: Amazon Linux 2023 has glibc 2.34, Ubuntu 22.04 has 2.35."""


def target(runtime: Runtime) -> Platform:
    """Return the platform that a stack asks for; `host` stands for this machine's interpreter and processor."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}" if runtime.python == "host" else runtime.python
    if runtime.architecture == "host":
        return Platform(python=python, architecture=here(), wheels=None)
    return Platform(python=python, architecture=runtime.architecture, wheels=WHEELS[runtime.architecture])
