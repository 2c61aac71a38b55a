"""The processors that functions run on, and the variables that make all of one architecture compute the same bits."""

from __future__ import annotations

import platform
from collections.abc import Mapping

KERNELS: Mapping[str, Mapping[str, str]] = {
    # For all that have AVX2. In OpenBLAS 0.3.34 the size of the processor's cache decides in which order even a
    # fixed kernel adds up; Haswell's is 256 kB: https://github.com/OpenMathLib/OpenBLAS/issues/6021
    "x86_64": {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_L2_SIZE": "256"},
    # For all; OpenBLAS takes this kernel, too, for a name that it does not know.
    "arm64": {"OPENBLAS_CORETYPE": "ARMV8"},
}
"""By architecture, the variables that fix OpenBLAS's kernel; by itself it takes the newest that the processor has."""
VECTORS: Mapping[str, str] = {
    # All that numpy 2.4 chooses from beyond AVX2, which Haswell's kernel needs anyway.
    "x86_64": "X86_V4 AVX512_ICL AVX512_SPR",
    # All that it chooses from. Its builds for macOS do not know SVE, and skip that name.
    "arm64": "ASIMDHP ASIMDDP ASIMDFHM SVE",
}
"""By architecture, the instruction sets that numpy must leave alone where a processor has them: a logarithm has other
last bits with AVX-512. numpy refuses one that it is built for as a whole, and ignores one that the processor lacks:
https://numpy.org/doc/stable/reference/simd/build-options.html#runtime-dispatch
"""
ONE_THREAD: Mapping[str, str] = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def here() -> str:
    """Return this machine's architecture, by its name in the settings."""
    return {"AMD64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def kernel(architecture: str) -> Mapping[str, str]:
    """Return the variables that fix OpenBLAS's kernel; none for an architecture that no cloud offers."""
    return KERNELS.get(architecture, {})


def arithmetic(architecture: str) -> dict[str, str]:
    """Return the variables under which the same training gives the same bytes on every processor of an architecture.

    They must be set before numpy is imported. The number of threads that share a sum decides its last
    bits, too, so it is one.
    """
    vectors = {"NPY_DISABLE_CPU_FEATURES": VECTORS[architecture]} if architecture in VECTORS else {}
    return {**ONE_THREAD, **kernel(architecture), **vectors}
