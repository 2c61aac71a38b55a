"""What a process computes with: it decides the last bits of whatever is learned."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info


def processor() -> dict[str, Any]:
    """Return the architecture, the kernels of the libraries of linear algebra loaded so far, numpy's instruction sets.

    None stands for a library that does not say. One that is the system's own, as on macOS, is not
    listed. The instruction sets are those that numpy chose for this processor, beyond what it is built for.
    """
    libraries = [found for found in threadpool_info() if found["user_api"] == "blas"]
    kernels = {f"{found['internal_api']} {found['version']}": found.get("architecture") for found in libraries}
    return {
        "architecture": platform.machine(),
        "kernels": dict(sorted(kernels.items())),
        "numpy": np.show_config(mode="dicts")["SIMD Extensions"].get("found", []),
    }
