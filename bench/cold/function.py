"""Process start to first answer of the predict function itself: `python -I -S bench/cold/function.py FOLDER`.

`FOLDER` was made by `store.py`. It is the whole of what AWS would run, from the event to the
answer over HTTP, with stores on this disk: pointer, card, model and golden vectors are read,
the model is opened, proven and asked. `--site ARCHIVE` runs the code of an unpacked archive.
"""

from __future__ import annotations

import json
import os
import sys

ROW = [0.5] * 30


def main(arguments: list[str]) -> None:
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if arguments[:1] == ["--site"]:
        here, arguments = arguments[1], arguments[2:]
    sys.path.insert(0, here)
    folder = os.path.abspath(arguments[0])
    stores = {f"{name}_URL": f"file://{folder}/{name.lower()}" for name in ("MODELS", "CAPTURES", "JOBS")}
    settings = {"MODELS": "breast_cancer", "POINTER_SECONDS": "5", "CAPTURE_INPUTS": "0", "LOG_LEVEL": "ERROR"}
    os.environ.update({**stores, **settings})
    from functions.adapters.aws.predict import handle

    http = {"method": "POST", "sourceIp": "127.0.0.1"}
    event = {
        "rawPath": "/predict",
        "requestContext": {"http": http, "stage": "$default", "requestId": "first"},
        "body": json.dumps({"instances": [ROW]}),
    }
    answer = handle(event, None)
    print(answer["body"][:60], flush=True)
    os._exit(0 if answer["statusCode"] == 200 else 1)


main(sys.argv[1:])
