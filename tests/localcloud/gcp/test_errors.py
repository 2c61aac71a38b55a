from __future__ import annotations

from localcloud.engine.events import Failed, Logged
from localcloud.gcp.cloudrun.errors import errors

LOG = """\
listening
{"severity":"INFO","event":"request"}
{"severity":"ERROR","event":"step"}
{"severity":"ERROR"
Traceback (most recent call last):
  File "/app/main.py", line 1, in <module>
    import nothing
ModuleNotFoundError: No module named 'nothing'
done
"""


def test_lines_of_level_error_and_tracebacks_are_the_errors_of_a_log() -> None:
    logged, failed = errors("predict", LOG.splitlines())
    assert logged == Logged(function="predict", line='{"severity":"ERROR","event":"step"}')
    assert isinstance(failed, Failed)
    assert failed.error == "ModuleNotFoundError: No module named 'nothing'"
    assert '"/app/main.py", line 1' in failed.trace
