"""The diabetes data, as a user would upload it. It comes inside scikit-learn: nothing is fetched.

For demonstrations and tests; no function carries it. `python -m models.diabetes.sample FILE` writes it.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from sklearn.datasets import load_diabetes

TARGET = "progression"
FEATURES = (
    "age",
    "sex",
    "bmi",
    "blood_pressure",
    "total_cholesterol",
    "ldl",
    "hdl",
    "cholesterol_ratio",
    "log_triglycerides",
    "glucose",
)
"""Those of the file, in its order."""


def instances() -> tuple[list[dict[str, float | str]], list[float]]:
    """442 patients by feature name, and how far the disease of each went."""
    found = load_diabetes(scaled=False)
    patients = [dict(zip(FEATURES, values, strict=True)) for values in found.data.tolist()]
    return [{**patient, "sex": str(int(patient["sex"]))} for patient in patients], found.target.tolist()


def write_csv(path: Path) -> int:
    """Write all patients as CSV in UTF-8; returns how many there are."""
    patients, progressions = instances()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*FEATURES, TARGET])
        writer.writerows([*one.values(), truth] for one, truth in zip(patients, progressions, strict=True))
    return len(patients)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the whole sample to the file that is named, and print how many patients it has."""
    parser = argparse.ArgumentParser(
        prog="python -m models.diabetes.sample", description="Write the diabetes data as a dataset for models/diabetes."
    )
    parser.add_argument("file", type=Path, help="the CSV to write, such as diabetes.csv")
    path = parser.parse_args(arguments).file
    print(f"{path}: {write_csv(path)} patients")


if __name__ == "__main__":
    main()
