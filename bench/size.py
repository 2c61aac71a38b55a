"""The sizes of the archives that are deployed: zipped, and unpacked with their compiled files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from bench import subject
from bench.measure import Spread
from bench.row import Row

GROUP = "archives"
MEGABYTE = 1_000_000


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    predict = subject.archive("predict", "aws")
    train = subject.archive("train", "aws")
    yield _row("predict, unpacked", predict.unpacked, 40)
    yield _row("predict, zipped", predict.size, 15)
    yield _row("train, unpacked", train.unpacked, 200)


def _row(name: str, size: int, target: float) -> Row:
    figure = Spread.of([size / MEGABYTE])
    return Row(group=GROUP, name=name, against="", figure=figure, unit="MB", target=target)
