"""Print the comments of a review from its documents, as JSON: `python -m sml.review FOLDER`.

By the standard library alone, for a job that may write comments and installs nothing: what it reads was made by
code that may not.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sml.mistake import Mistake
from sml.review.rendering import comments, reports


def main(arguments: list[str]) -> int:
    """Return the exit code: 0, or 1 after a sentence on standard error."""
    if len(arguments) != 1:
        print("usage: python -m sml.review FOLDER", file=sys.stderr)
        return 2
    try:
        json.dump(comments(reports(Path(arguments[0]))), sys.stdout)
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        return mistake.code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
