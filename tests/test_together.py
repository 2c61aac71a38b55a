from __future__ import annotations

import pytest

from tests.conftest import together

LOOP = "tests/loop/test_api.py::test_it"


@pytest.mark.parametrize("rest", ["", "-b'[[[']", "-{'a': [1]}-x]", "-x@y]"])
def test_the_loop_of_a_cloud_is_one_group_whatever_its_parameters(rest: str) -> None:
    assert together(f"{LOOP}[aws{rest or ']'}") == "loop of aws"
    assert together(f"{LOOP.replace('api', 'jobs')}[gcp{rest or ']'}") == "loop of gcp"


def test_everything_else_stays_with_its_file() -> None:
    assert together("tests/infra/test_limits.py::test_it[aws]") == "tests/infra/test_limits.py"
