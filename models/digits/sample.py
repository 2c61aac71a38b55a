"""Handwritten digits, as a user would upload them. They come inside scikit-learn: nothing is fetched.

For demonstrations and tests; no function carries it. `python -m models.digits.sample FILE` writes it.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from sklearn.datasets import load_digits

TARGET = "digit"
SIDE = 8
FEATURES = tuple(f"pixel_{row}_{column}" for row in range(SIDE) for column in range(SIDE))
"""The darkness of each pixel, from the top left to the bottom right."""


def instances() -> tuple[list[dict[str, int]], list[str]]:
    """1,797 drawings by feature name, and the digit that each of them is."""
    found = load_digits()
    drawings = [dict(zip(FEATURES, values, strict=True)) for values in found.data.astype(int).tolist()]
    return drawings, [str(digit) for digit in found.target.tolist()]


def write_csv(path: Path) -> int:
    """Write all drawings as CSV in UTF-8; returns how many there are."""
    drawings, digits = instances()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*FEATURES, TARGET])
        writer.writerows([*one.values(), truth] for one, truth in zip(drawings, digits, strict=True))
    return len(drawings)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the whole sample to the file that is named, and print how many drawings it has."""
    parser = argparse.ArgumentParser(
        prog="python -m models.digits.sample", description="Write handwritten digits as a dataset for models/digits."
    )
    parser.add_argument("file", type=Path, help="the CSV to write, such as digits.csv")
    path = parser.parse_args(arguments).file
    print(f"{path}: {write_csv(path)} drawings")


if __name__ == "__main__":
    main()
