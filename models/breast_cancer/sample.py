"""The Wisconsin diagnostic data, as a user would upload it. It comes inside scikit-learn: nothing is fetched.

For demonstrations and tests; no function carries it. `python -m models.breast_cancer.sample FILE` writes it.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from sklearn.datasets import load_breast_cancer

TARGET = "diagnosis"


def header() -> list[str]:
    """The columns of the file: thirty measurements, then the target."""
    return [*(str(name).replace(" ", "_") for name in load_breast_cancer().feature_names), TARGET]


def instances() -> tuple[list[dict[str, float]], list[str]]:
    """569 cases by feature name, and the diagnosis of each: `malignant` or `benign`."""
    found = load_breast_cancer()
    names = header()[:-1]
    cases = [dict(zip(names, values, strict=True)) for values in found.data.tolist()]
    return cases, [str(found.target_names[position]) for position in found.target]


def write_csv(path: Path, rows: int | None = None) -> int:
    """Write the first `rows` cases (all, when None) as CSV in UTF-8; returns how many there are."""
    cases, labels = instances()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header())
        written = [[*case.values(), label] for case, label in zip(cases, labels, strict=True)][:rows]
        writer.writerows(written)
    return len(written)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the whole sample to the file that is named, and print how many cases it has."""
    path = _parser().parse_args(arguments).file
    print(f"{path}: {write_csv(path)} cases")


def _parser() -> argparse.ArgumentParser:
    description = "Write the Wisconsin diagnostic data as a dataset for models/breast_cancer."
    parser = argparse.ArgumentParser(prog="python -m models.breast_cancer.sample", description=description)
    parser.add_argument("file", type=Path, help="the CSV to write, such as wdbc.csv")
    return parser


if __name__ == "__main__":
    main()
