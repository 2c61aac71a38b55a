"""Examine finished models of this checkout as the select step would: `make preview` runs it, before a deployment.

`python -m functions.core.selection.examination file_type` prints a line of JSON for each model: its name, and its
checks. The process is one of its own: a file may ask for any memory, or end it.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from functions.core.selection import admission
from models.bring_your_own import FILE, GOLDEN, BringYourOwn
from models.section import FOLDER

if TYPE_CHECKING:
    from pathlib import Path


def examined(model: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Return the name of a finished model, and its checks but for the latency, which is another machine's."""
    contract, own = BringYourOwn.load(model, folder), folder / model
    golden = own / GOLDEN
    requests = golden.read_bytes() if golden.is_file() else None
    examination = admission.examine(contract, (own / FILE).read_bytes(), requests, timed=False)
    return {"model": model, "checks": [check.document() for check in examination.checks]}


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.write(json.dumps(examined(name)) + "\n")
        sys.stdout.flush()
