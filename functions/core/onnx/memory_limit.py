"""How much memory a process may take: what asks for more gets an error, where the kernel would end the process."""

from __future__ import annotations

import os
import resource

LARGEST = 10_240 * 2**20
"""Bytes: the largest function of AWS, https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def bound() -> int:
    """Bound the memory that this process and its children write to, and return the bound in bytes.

    It is three quarters of the machine's, which in a function is the function's own, `LARGEST`
    at most; a bound that is lower already stays. A few bytes of a model, or of a request to a
    good one, can ask for any amount. Linux alone keeps it.
    """
    here = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    wanted = min(here * 3 // 4, LARGEST)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    lower = soft if soft != resource.RLIM_INFINITY and soft < wanted else wanted
    if lower != soft:
        resource.setrlimit(resource.RLIMIT_DATA, (lower, hard))
    return lower
