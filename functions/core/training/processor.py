"""What a process computes with: it decides the last bits of whatever is learned."""

from __future__ import annotations

import platform
from typing import Any

from threadpoolctl import threadpool_info


def processor() -> dict[str, Any]:
    """The architecture, and the kernel that each library of linear algebra loaded so far has chosen.

    None stands for a library that does not say. One that is the system's own, as on macOS, is not listed.
    """
    libraries = [found for found in threadpool_info() if found["user_api"] == "blas"]
    kernels = {f"{found['internal_api']} {found['version']}": found.get("architecture") for found in libraries}
    return {"architecture": platform.machine(), "kernels": dict(sorted(kernels.items()))}
