"""The processors that functions run on, and what makes all of one architecture compute the same bits."""

from __future__ import annotations

import platform
from collections.abc import Mapping

KERNELS: Mapping[str, Mapping[str, str]] = {
    # Whatever has AVX2. 0.3.34 lets a processor's cache decide how even a kernel that was asked for adds up; Haswell's
    # own has 256 kB: https://github.com/OpenMathLib/OpenBLAS/issues/6021
    "x86_64": {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "256"},
    # Whatever there is, and what OpenBLAS takes for a name that it does not know there.
    "arm64": {"OPENBLAS_CORETYPE": "ARMV8"},
}
"""By architecture, what OpenBLAS is told: left alone, it takes the newest kernel that the processor can run."""
ONE_THREAD: Mapping[str, str] = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def here() -> str:
    """The architecture of this machine, by the name that settings have for it."""
    return {"AMD64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def kernel(architecture: str) -> Mapping[str, str]:
    """Variables that fix the kernel of OpenBLAS; none for an architecture that no cloud offers."""
    return KERNELS.get(architecture, {})


def arithmetic(architecture: str) -> dict[str, str]:
    """Variables under which the same training gives the same bytes on every processor of an architecture.

    They must be there before numpy is loaded. How many threads share a sum decides its last bits, too.
    """
    return {**ONE_THREAD, **kernel(architecture)}
