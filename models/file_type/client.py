"""What kind of files are these, whatever they are called? `python -m models.file_type.client FILE...`

After `make up` it finds the stack by itself; elsewhere say `--url`, which is
`models.file_type.predict` of the stack's outputs, and `--token` if the stack asks for one.
From Python: `tell([Path("letter")], url)`, which needs nothing but this file.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OUTPUTS = Path(__file__).resolve().parents[2] / ".local" / "outputs.json"
BLOCK, TAKEN = 4096, 1024
"""Of so many bytes at either end of a file, white space around them left out, so many are looked at."""
NOTHING = 256
"""What stands where a file has no byte."""
SHORTEST = 8
"""A file of fewer bytes, white space before them left out, says too little."""
SURE = 0.5
"""From here on one guess is told, and not two."""
AT_ONCE = 32
WIDE = 1000
"""Columns of what is no terminal: nothing is folded there."""
SECONDS = 60
LONGEST = 300
"""Characters of somebody else's words that are passed on."""


class Unanswered(Exception):
    """The model did not answer. The text says where it was asked, and what was said instead."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is known of one file."""

    file: Path
    kind: str
    """In words; of a file that was not looked at, why."""
    probability: float | None = None
    """0 to 1; None for a file that the model was not asked about."""
    readable: bool = True


def tell(files: Sequence[Path], url: str, token: str | None = None) -> list[Told]:
    """Ask the model at `url` about each file, in their order. Raises `Unanswered`.

    Of a file at most its first and last 4 KB are read. One that cannot be read, is empty or
    too short to tell is told as such, and the others are asked about.
    """
    looked = [_look(file) for file in files]
    rows = [row for row in looked if not isinstance(row, Told)]
    parts = [rows[at : at + AT_ONCE] for at in range(0, len(rows), AT_ONCE)]
    guesses = iter([guess for part in parts for guess in _ask(part, url, token)])
    return [
        row if isinstance(row, Told) else Told(file=file, **next(guesses))
        for file, row in zip(files, looked, strict=True)
    ]


def row_of(head: bytes, tail: bytes) -> list[int]:
    """What the model takes of a file, int32 [2048], from its first and its last `BLOCK` bytes."""
    begin, end = head[:BLOCK].lstrip()[:TAKEN], tail[-BLOCK:].rstrip()[-TAKEN:]
    missing = [NOTHING] * TAKEN
    return [*begin, *missing[len(begin) :], *missing[len(end) :], *end]


def main(arguments: Sequence[str] | None = None) -> int:
    """0: every file was read and told; 1: one was not, or nobody answered, and the reason was printed."""
    given = _parser().parse_args(arguments)
    try:
        told = tell(given.files, given.url or _url(), given.token)
    except Unanswered as problem:
        print(problem, file=sys.stderr)
        return 1
    _show(told)
    return 0 if all(one.readable for one in told) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models.file_type.client", description="Tell what kind of files these are, whatever their names."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--url", help="where the model answers; after `make up` it is found")
    parser.add_argument("--token", help="sent as `Authorization: Bearer <token>`")
    return parser


def _show(told: Sequence[Told]) -> None:
    from rich.console import Console  # noqa: PLC0415 - who only calls `tell` need not have it
    from rich.table import Table  # noqa: PLC0415

    table = Table.grid(padding=(0, 3))
    table.add_column(overflow="fold")
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    for one in told:
        table.add_row(str(one.file), one.kind, "" if one.probability is None else f"{one.probability * 100:.1f} %")
    width = None if sys.stdout.isatty() else WIDE
    Console(highlight=False, markup=False, width=width).print(table)


def _look(file: Path) -> list[int] | Told:
    try:
        with file.open("rb") as content:
            size = content.seek(0, os.SEEK_END)
            content.seek(0)
            head = content.read(BLOCK)
            content.seek(max(0, size - BLOCK))
            row = row_of(head, content.read(BLOCK))
    except FileNotFoundError:
        return Told(file=file, kind="there is no such file", readable=False)
    except IsADirectoryError:
        return Told(file=file, kind="a folder", readable=False)
    except OSError as problem:
        return Told(file=file, kind=f"cannot be read: {problem.strerror or problem}", readable=False)
    if row[SHORTEST - 1] == NOTHING:
        return Told(file=file, kind="too short to tell" if size else "empty")
    return row


def _ask(rows: Sequence[list[int]], url: str, token: str | None) -> list[dict[str, Any]]:
    """What `Told` says of each row."""
    request = _request(rows, url, token)
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
            answers = json.load(response)["predictions"]
        return [_guess(answer["scores"]) for _, answer in zip(rows, answers, strict=True)]
    except urllib.error.HTTPError as refused:
        raise Unanswered(f"{url} answered {refused.code}: {_reason(refused)}") from None
    except (OSError, http.client.HTTPException) as away:
        raise Unanswered(f"{url} does not answer: {getattr(away, 'reason', away)}") from None
    except UnicodeEncodeError:
        raise _no_url(url) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unanswered(f"{url} answered something else than predictions; is it models.file_type.predict?") from None


def _request(rows: Sequence[list[int]], url: str, token: str | None) -> urllib.request.Request:
    if not url.startswith(("http://", "https://")):
        raise _no_url(url)
    if token and not (token.isascii() and token.isprintable()):
        raise Unanswered("the token is none; accepted: ASCII characters without a line break or another control sign")
    body = json.dumps({"instances": rows}).encode()
    try:
        request = urllib.request.Request(url, body, {"content-type": "application/json"})  # noqa: S310
    except ValueError:
        raise _no_url(url) from None
    if token:
        # A redirect may lead to somebody else, who is to have no token.
        request.add_unredirected_header("authorization", f"Bearer {token}")
    return request


def _no_url(url: str) -> Unanswered:
    return Unanswered(f"{url} is no URL of a model; accepted: http://... or https://...")


def _guess(scores: Mapping[str, float]) -> dict[str, Any]:
    first, second = sorted(scores, key=scores.__getitem__, reverse=True)[:2]
    probability = scores[first]
    return {"kind": first if probability >= SURE else f"{first}, or {second}", "probability": probability}


def _reason(refused: urllib.error.HTTPError) -> str:
    try:
        said = refused.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return refused.reason
    try:
        found = json.loads(said)
        said = str(found.get("detail") or found.get("error") or found.get("message") or said)
    except (ValueError, AttributeError):
        pass
    said = " ".join(said.split()) or refused.reason
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}..."


def _url() -> str:
    """Where the stack of `make up` answers. Raises `Unanswered` when there is none."""
    try:
        return str(json.loads(OUTPUTS.read_text(encoding="utf-8"))["models"]["file_type"]["predict"])
    except (FileNotFoundError, KeyError):
        raise Unanswered("no stack is up here that serves file_type: run `make up`, or say --url") from None
    except (OSError, ValueError, TypeError):
        raise Unanswered(f"{OUTPUTS} does not hold the outputs of a stack: run `make up` again, or say --url") from None


if __name__ == "__main__":
    sys.exit(main())
