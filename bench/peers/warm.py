"""`warm.py MODULE EVENT BLOCKS CALLS`: microseconds a call of a handler and of the bare session, by block."""

import importlib
import json
import sys
import time
import types

import numpy as np

module = importlib.import_module(sys.argv[1])
with open(sys.argv[2], encoding="utf-8") as file:
    event = json.load(file)
blocks, calls = int(sys.argv[3]), int(sys.argv[4])
context = types.SimpleNamespace(
    aws_request_id="1", function_name="f", memory_limit_in_mb=1024, invoked_function_arn="arn:aws:lambda:::function:f"
)
x = np.array(json.loads(event["body"])["instances"], dtype=np.float32)


def raw():
    module.SESSION.run(None, {module.NAME: x})


def peer():
    module.handle(event, context)


def block(call):
    began = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - began) / calls * 1e6


sys.stdout = sys.stderr  # where a framework writes its metrics
for call in (raw, peer):
    block(call)
found = [(block(peer), block(raw)) for _ in range(blocks)]
print(json.dumps(found), file=sys.__stdout__)
