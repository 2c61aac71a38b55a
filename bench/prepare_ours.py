"""`python -m bench.prepare_ours FOLDER KEY`: the work of peers/prepare_bare.py, done by the prepare function.

`FOLDER` holds the stores; `KEY` is an object of the data store.
"""

import sys
import uuid

from functions.core.runtime.environment import Environment
from functions.entries.prepare import prepare

folder, key = sys.argv[1:]
environment = Environment(
    {"DATA_URL": f"file://{folder}/data", "MODELS_URL": f"file://{folder}/{uuid.uuid4().hex}", "LOG_LEVEL": "INFO"}
)
answer = prepare(environment).act({"input": {"source": key}, "execution": "bench"})
if answer["status"] != "accepted":
    sys.exit(f"{key}: {answer}")
print(answer)
