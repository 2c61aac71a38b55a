"""Limit the memory of a process: an allocation beyond the limit fails, before the kernel would kill the process."""

from __future__ import annotations

import os
import resource

LARGEST = 10_240 * 2**20
"""Bytes: the largest function of AWS, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def limit_memory() -> int:
    """Limit the memory that this process and its children can write to, and return the limit in bytes.

    It is three quarters of the machine's memory, at most `LARGEST`; in a function, the machine's
    memory is the function's. A limit that is lower already stays. The reason: a few bytes of a
    model, or of a request, can ask for any amount. Only Linux enforces it.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = min(machine * 3 // 4, LARGEST)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    lower = soft if soft != resource.RLIM_INFINITY and soft < limit else limit
    if lower != soft:
        resource.setrlimit(resource.RLIMIT_DATA, (lower, hard))
    return lower
