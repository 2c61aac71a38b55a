"""Tell the types of files by their content: `python -m models.file_type.client FILE...`

After `make up` it finds the stack by itself. Elsewhere pass `--url`, which is
`models.file_type.predict` of the stack's outputs, and `--token` if the stack requires one.
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
"""Of the first and last `BLOCK` bytes of a file, without white space around them, the model sees `TAKEN` bytes each."""
NOTHING = 256
"""The number in a row where the file has no byte."""
SHORTEST = 8
"""A file with fewer bytes, without leading white space, is too short to tell."""
SURE = 0.5
"""From this probability on, only the first guess is shown, and not the second."""
BATCH_ROWS = 32
WIDE = 1000
"""Columns of the output when it is not a terminal: no line is wrapped."""
SECONDS = 60
LONGEST = 300
"""Characters of a server's error message that are shown."""


class Unanswered(Exception):
    """The model did not answer. The text names the URL and the reason."""


@dataclass(frozen=True, kw_only=True)
class FileType:
    """The type of one file, or why it is not known."""

    file: Path
    kind: str
    """The type in words, or why the model was not asked."""
    probability: float | None = None
    """0 to 1; None for a file that the model was not asked about."""
    readable: bool = True


def tell(files: Sequence[Path], url: str, token: str | None = None) -> list[FileType]:
    """Ask the model at `url` for the type of each file, and return them in order. Raises `Unanswered`.

    At most the first and last 4 KB of a file are read. For a file that cannot be read, is empty
    or too short, the result says so, and the model is asked about the others.
    """
    rows_or_results = [_look(file) for file in files]
    rows = [row for row in rows_or_results if not isinstance(row, FileType)]
    batches = [rows[at : at + BATCH_ROWS] for at in range(0, len(rows), BATCH_ROWS)]
    guesses = iter([guess for batch in batches for guess in _ask(batch, url, token)])
    return [
        row if isinstance(row, FileType) else FileType(file=file, **next(guesses))
        for file, row in zip(files, rows_or_results, strict=True)
    ]


def row_of(head: bytes, tail: bytes) -> list[int]:
    """Return the model's input for a file, 2048 numbers, from its first and its last `BLOCK` bytes."""
    begin, end = head[:BLOCK].lstrip()[:TAKEN], tail[-BLOCK:].rstrip()[-TAKEN:]
    missing = [NOTHING] * TAKEN
    return [*begin, *missing[len(begin) :], *missing[len(end) :], *end]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the type of each file. Return 0, or 1 when a file cannot be read or the model does not answer."""
    options = _parser().parse_args(arguments)
    try:
        file_types = tell(options.files, options.url or _url(), options.token)
    except Unanswered as problem:
        print(problem, file=sys.stderr)
        return 1
    _show(file_types)
    return 0 if all(file_type.readable for file_type in file_types) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m models.file_type.client", description="Tell the types of files by their content."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--url", help="where the model answers; after `make up` it is found")
    parser.add_argument("--token", help="sent as `Authorization: Bearer <token>`")
    return parser


def _show(file_types: Sequence[FileType]) -> None:
    from rich.console import Console  # noqa: PLC0415 - who only calls `tell` need not have it
    from rich.table import Table  # noqa: PLC0415

    table = Table.grid(padding=(0, 3))
    table.add_column(overflow="fold")
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    for file_type in file_types:
        table.add_row(
            str(file_type.file),
            file_type.kind,
            "" if file_type.probability is None else f"{file_type.probability * 100:.1f} %",
        )
    width = None if sys.stdout.isatty() else WIDE
    Console(highlight=False, markup=False, width=width).print(table)


def _look(file: Path) -> list[int] | FileType:
    try:
        with file.open("rb") as content:
            size = content.seek(0, os.SEEK_END)
            content.seek(0)
            head = content.read(BLOCK)
            content.seek(max(0, size - BLOCK))
            row = row_of(head, content.read(BLOCK))
    except FileNotFoundError:
        return FileType(file=file, kind="there is no such file", readable=False)
    except IsADirectoryError:
        return FileType(file=file, kind="a folder", readable=False)
    except OSError as problem:
        return FileType(file=file, kind=f"cannot be read: {problem.strerror or problem}", readable=False)
    if row[SHORTEST - 1] == NOTHING:
        return FileType(file=file, kind="too short to tell" if size else "empty")
    return row


def _ask(rows: Sequence[list[int]], url: str, token: str | None) -> list[dict[str, Any]]:
    """Return kind and probability of each row, as arguments of `FileType`."""
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
        raise Unanswered("the token is not valid; accepted: printable ASCII characters")
    body = json.dumps({"instances": rows}).encode()
    try:
        request = urllib.request.Request(url, body, {"content-type": "application/json"})  # noqa: S310
    except ValueError:
        raise _no_url(url) from None
    if token:
        # A redirect may lead to another server, which must not get the token.
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
        message = refused.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return refused.reason
    try:
        document = json.loads(message)
        message = str(document.get("detail") or document.get("error") or document.get("message") or message)
    except (ValueError, AttributeError):
        pass
    message = " ".join(message.split()) or refused.reason
    return message if len(message) <= LONGEST else f"{message[:LONGEST]}..."


def _url() -> str:
    """Return the URL of the model in the stack of `make up`. Raises `Unanswered` when there is none."""
    try:
        return str(json.loads(OUTPUTS.read_text(encoding="utf-8"))["models"]["file_type"]["predict"])
    except (FileNotFoundError, KeyError):
        raise Unanswered("no stack is up here that serves file_type: run `make up`, or pass --url") from None
    except (OSError, ValueError, TypeError):
        raise Unanswered(
            f"{OUTPUTS} does not hold the outputs of a stack: run `make up` again, or pass --url"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
