"""The Wisconsin diagnostic data, as a user would upload it. It comes inside scikit-learn: nothing is fetched.

For demonstrations and tests; no function carries it.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from sklearn.datasets import load_breast_cancer

if TYPE_CHECKING:
    from pathlib import Path

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
