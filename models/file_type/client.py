"""What kind of files are these? Asks the stack's model: `python models/file_type/client.py FILE...`

Needs nothing but Python. After `make up` it finds the stack by itself; elsewhere say
`--url`, which is `models.file_type.predict` of the stack's outputs, and `--token` if it asks for one.
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

OUTPUTS = Path(__file__).resolve().parents[2] / ".local" / "outputs.json"
BLOCK, TAKEN = 4096, 1024
"""Of so many bytes at either end of a file, white space around them left out, so many are looked at."""
NOTHING = 256
"""What stands where a file has no byte."""
SHORTEST = 8
"""A file of fewer bytes says too little."""
AT_ONCE = 32


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Tell what kind of files these are, whatever they are called.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--url", help="where the model answers; after `make up` it is found")
    parser.add_argument("--token", help="sent as `Authorization: Bearer <token>`")
    given = parser.parse_args(arguments)
    try:
        url = given.url or _url()
        for start in range(0, len(given.files), AT_ONCE):
            for line in _told(given.files[start : start + AT_ONCE], url, given.token):
                print(line)
    except (OSError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def row_of(content: bytes) -> list[int]:
    """What the model takes of a file: the bytes at its beginning, then those at its end."""
    head, tail = content[:BLOCK].lstrip()[:TAKEN], content[-BLOCK:].rstrip()[-TAKEN:]
    missing = [NOTHING] * TAKEN
    return [*head, *missing[len(head) :], *missing[len(tail) :], *tail]


def _told(files: Sequence[Path], url: str, token: str | None) -> list[str]:
    contents = {file: file.read_bytes() for file in files}
    asked = [file for file, content in contents.items() if len(content) >= SHORTEST]
    answers = dict(zip(asked, _ask([row_of(contents[file]) for file in asked], url, token), strict=True))
    width = max(len(str(file)) for file in files)
    return [f"{file!s:<{width}}  {answers.get(file, 'too short to tell')}" for file in files]


def _ask(rows: list[list[int]], url: str, token: str | None) -> list[str]:
    if not rows:
        return []
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(url, json.dumps({"instances": rows}).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - the URL is the caller's own
            predictions = json.load(response)["predictions"]
    except urllib.error.HTTPError as refused:
        raise OSError(f"{url}: {refused.code}: {refused.read().decode(errors='replace')[:300]}") from None
    return [f"{found['label']}, {found['scores'][found['label']]:.1%}".replace("%", " %") for found in predictions]


def _url() -> str:
    """Where the stack of `make up` answers. Raises `ValueError` when there is none."""
    try:
        return json.loads(OUTPUTS.read_text(encoding="utf-8"))["models"]["file_type"]["predict"]
    except (FileNotFoundError, KeyError):
        raise ValueError("no stack is up here that serves file_type: run `make up`, or say --url") from None


if __name__ == "__main__":
    sys.exit(main())
