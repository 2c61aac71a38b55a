"""Why a step of the workflow failed, as each cloud's workflow passes it on, in the words of the step."""

from __future__ import annotations

import json
import re

_WRAPPED = re.compile(r'^(?P<step>[^:{]+):.*?\{.*?"(?:errorMessage|error)": ?(?P<text>"(?:[^"\\]|\\.)*")', re.DOTALL)
"""The step's name, the workflow's own words, and the function's answer in JSON, whose end may be cut off."""


def plain(cause: str) -> str:
    """Return the step and its own message; a cause of another form as it is.

    Lambda answers a failure with `errorMessage`, the functions on GCP with `error`; both workflows put it, still in
    JSON, behind words of their own.
    """
    found = _WRAPPED.match(cause)
    if found is None:
        return cause
    return f"{found['step']}: {json.loads(found['text'], strict=False)}"
