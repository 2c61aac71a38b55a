"""`python -m bench.job_ours FOLDER KEY WORKERS [PART]`: the work of peers/job_bare.py, done by the jobs function.

`FOLDER` holds the stores, `KEY` is the input in the jobs store. With a `PART` this process is the worker that is
told of the continuation with it; without one it starts the other workers, and is the first.
"""

import subprocess
import sys
import time
from pathlib import Path

from bench import files
from functions.core.jobs.job import Job
from functions.core.runtime.consumer import ONCE
from functions.core.runtime.environment import Environment
from functions.entries.jobs import jobs
from interface import layout

folder, key, workers, *part = sys.argv[1:]
values = files.environment(Path(folder) / "models", Path(folder))
environment = Environment({**values, "ATTEMPTS": "5", "TIMEOUT_SECONDS": "900", "PARALLELISM": workers})
others = [
    subprocess.Popen([sys.executable, "-m", "bench.job_ours", folder, key, workers, str(number)])
    for number in range(2, int(workers) + 1)
    if not part
]
name = key.removeprefix(f"{files.MODEL}/{layout.JOB_INPUTS}")
announced = Job(model=files.MODEL, name=name).continuation(int(part[0])) if part else key
while not (Path(folder) / "jobs" / announced).exists():
    time.sleep(0.01)
jobs(environment).work(announced, ONCE)
if any(other.wait() for other in others):
    sys.exit("a worker failed")
