from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from functions.core.onnx.memory_limit import LARGEST
from tests.root import ROOT

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
LIMIT = min(MACHINE * 3 // 4, LARGEST)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("before", "after"),
    [(resource.RLIM_INFINITY, LIMIT), (MACHINE + 4096, LIMIT), (10**8, 10**8)],
    ids=["none", "higher", "lower"],
)
def test_a_process_gets_most_of_the_machine_and_a_lower_bound_stays(before: int, after: int) -> None:
    code = f"""
import resource
_, hard = resource.getrlimit(resource.RLIMIT_DATA)
resource.setrlimit(resource.RLIMIT_DATA, ({before}, hard))
from functions.core.onnx.memory_limit import limit_memory
print(limit_memory(), resource.getrlimit(resource.RLIMIT_DATA)[0])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(after), str(after)]
