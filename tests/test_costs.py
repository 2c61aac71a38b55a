from __future__ import annotations

import re

import pytest

from tests.root import ROOT

pytest_plugins = ["pytester"]


@pytest.mark.integration
def test_what_a_test_computes_here_and_in_processes_is_on_its_account(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        """
        import subprocess, sys, time, pytest

        WORK = "import time\\nwhile time.process_time() < 0.5: pass"

        @pytest.fixture
        def ready():
            until = time.process_time() + 0.2
            while time.process_time() < until: pass

        def test_it_waits():
            time.sleep(0.3)

        def test_it_computes(ready):
            pass

        def test_it_starts_a_process():
            subprocess.run([sys.executable, "-c", WORK], check=True)
        """
    )
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    done = pytester.runpytest_subprocess("-p", "tests.costs", "-p", "no:randomly", "-n", "2")
    done.assert_outcomes(passed=3)
    found = {
        name: float(cost) for cost, name in re.findall(r"^ *([\d.]+)  \S+::test_it_(\w+)$", done.stdout.str(), re.M)
    }
    assert found["computes"] >= 0.2
    assert found["starts_a_process"] >= 0.4
    assert found["waits"] < 0.2
    [whole] = re.findall(r"^ *([\d.]+)  \S+\.py$", done.stdout.str(), re.M)
    assert float(whole) == pytest.approx(sum(found.values()), abs=0.03)
