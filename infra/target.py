"""The interpreter and processor that functions are built for."""

from __future__ import annotations

import sys

from infra import compiler
from infra.archive import Platform
from infra.processor import here
from infra.settings import Runtime

WHEELS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}
"""The newest tag that every supported runtime can load: Amazon Linux 2023 has glibc 2.34, Ubuntu 22.04 has 2.35."""


def target(runtime: Runtime) -> Platform:
    """Return the platform that a stack asks for; `host` stands for this machine's interpreter and processor."""
    if runtime.python == "host":
        python, exact = f"{sys.version_info.major}.{sys.version_info.minor}", compiler.here()
    else:
        python, exact = runtime.python, compiler.VERSIONS[runtime.python] if runtime.compiled else None
    own = runtime.architecture == "host"
    architecture = here() if own else runtime.architecture
    return Platform(
        python=python, architecture=architecture, wheels=None if own else WHEELS[architecture], compiler=exact
    )
