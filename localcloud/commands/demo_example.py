"""What the demonstration shows a model with: rows of its sample, and the true answer to each."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from localcloud.engine.stack_file import ROOT
from models.catalogue import by_kind, load
from models.contract import Contract
from models.section import FOLDER, ContractError, names

HELD_OUT = 20
"""Rows that are never uploaded: the callers send them, and the predictions at the end."""
FIRST_SHARE = 0.7
"""Of the rows of a model that is named: those of the first dataset."""
FEWEST = 5 * HELD_OUT
SHUFFLED = 7
"""The seed of the order: a sample may be sorted by its truth, and its first rows would then be of one class."""
LINES = 5
"""Of what a sample says when it fails."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """A model and its sample."""

    model: str
    metric: str
    table: str
    """What its file is called, without an extension."""
    header: Sequence[str]
    lines: Sequence[Sequence[object]]
    """The rows of the file, each with its true answer."""
    cases: Sequence[Mapping[str, Any]]
    """The same rows as a request has them: features by name."""
    truths: Sequence[str | float]
    first_rows: int
    """How many of them the first dataset has; the second has all but `HELD_OUT`."""

    @property
    def features(self) -> int:
        """How many features its model has."""
        return len(self.cases[0])

    def write(self, path: Path, rows: int) -> None:
        """Write the first rows as CSV."""
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.header)
            writer.writerows(self.lines[:rows])


def breast_cancer() -> Example:
    """Return the example of a demonstration that names no model."""
    from models.breast_cancer import sample  # noqa: PLC0415 - scikit-learn's data, and it is slow to import

    cases, labels = sample.instances()
    return Example(
        model="breast_cancer",
        metric="roc_auc",
        table="wdbc",
        header=sample.header(),
        lines=[[*case.values(), label] for case, label in zip(cases, labels, strict=True)],
        cases=cases,
        truths=labels,
        first_rows=400,
    )


def named(model: str) -> Example:
    """Return the example of a model, from the file that its `sample.py` writes.

    Raises `pulumi.RunError`, with what to do, for a model that is not there, is not trained, has no sample, or has one
    that fails or does not fit its contract.
    """
    contract = _trained(model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{model}.csv"
        _write_sample(model, path)
        return _read(contract, path)


def _trained(model: str) -> Contract:
    if model not in names(FOLDER):
        raise pulumi.RunError(f"MODEL={model}: there is no models/{model}; those with a sample: {_with_a_sample()}")
    try:
        contract = by_kind(load(model, FOLDER), trained=lambda one: one, bring_your_own=lambda _: None)
    except ContractError as problem:
        raise pulumi.RunError(str(problem)) from None
    if contract is None:
        raise pulumi.RunError(
            f"MODEL={model} is a finished model, which is not trained; those with a sample: {_with_a_sample()}"
        )
    if not (FOLDER / model / "sample.py").is_file():
        raise pulumi.RunError(
            f"MODEL={model}: models/{model} has no sample.py, which writes a table to train on; those with one: "
            f"{_with_a_sample()}. With a table of yours: `make up`, then `.venv/bin/sml upload {model} FILE --wait`"
        )
    return contract


def _with_a_sample() -> str:
    return ", ".join(name for name in names(FOLDER) if (FOLDER / name / "sample.py").is_file()) or "none"


def _write_sample(model: str, path: Path) -> None:
    """Have a sample written as its owner would, by `python -m models.<model>.sample FILE`."""
    command = [sys.executable, "-m", f"models.{model}.sample", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode or not path.is_file():
        said = "\n  ".join((done.stderr or done.stdout).strip().splitlines()[-LINES:]) or "it wrote no file"
        raise pulumi.RunError(f"`python -m models.{model}.sample FILE` failed:\n  {said}")


def _read(contract: Contract, path: Path) -> Example:
    """Read the table of a sample by the contract of its model, in another order."""
    from sml.mistake import Mistake  # noqa: PLC0415 - nor is anything of a table, where no model is named
    from sml.table_rows import table_rows  # noqa: PLC0415

    where, target = f"models/{contract.name}/sample.py", contract.target
    with path.open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    try:
        columns = (*contract.features, target.as_feature)
        rows = list(table_rows(iter([path.read_bytes()]), columns, where, len(lines)))
    except Mistake as problem:
        raise pulumi.RunError(str(problem)) from None
    if refused := next((row for row in rows if isinstance(row, str)), None):
        raise pulumi.RunError(f"{where} writes a row that models/{contract.name}/model.yaml refuses: {refused}")
    if len(rows) < FEWEST:
        raise pulumi.RunError(f"{where} writes {len(rows)} rows; the demonstration needs {FEWEST} or more")
    both = [(line, row) for line, row in zip(lines, rows, strict=True) if isinstance(row, dict)]
    random.Random(SHUFFLED).shuffle(both)  # noqa: S311 - an order, and no secret
    return Example(
        model=contract.name,
        metric=contract.search.metric,
        table=contract.name,
        header=header,
        lines=[line for line, _ in both],
        truths=[row.pop(target.name) for _, row in both],
        cases=[row for _, row in both],
        first_rows=int(len(both) * FIRST_SHARE),
    )
