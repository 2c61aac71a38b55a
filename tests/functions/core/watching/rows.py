"""A model whose rows are known: what it learnt from, and captures of rows like those, or unlike them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from functions.core.dataset.profile import describe
from functions.core.registry.captures import folder
from functions.core.storage.objects import Objects, canonical
from functions.core.watching.captured_rows import CapturedRows
from functions.core.watching.checks import Checks
from interface import layout
from models.feature import Feature

MODEL, VERSION = "tumour", "a1b2c3d4e5f60718"
OTHER = "0" * 16
FEATURES = (
    Feature(name="size"),
    Feature(name="visits", kind="integer"),
    Feature(name="colour", kind="category", categories=("green", "red"), unseen="other"),
    Feature(name="age", missing="keep"),
)
CARD = {
    "task": "classification",
    "features": [one.document() for one in FEATURES],
    "target": {"classes": ["no", "yes"]},
    "outputs": {"label": "label", "probabilities": "probabilities"},
}
DAY = datetime(2026, 11, 2, 12, tzinfo=UTC)


def drawn(rng: np.random.Generator, count: int, *, shift: float = 0.0, lost: float = 0.02, other: float = 0.01) -> Any:
    """Return rows [count, 4] of the features, and answers [count, 2]; `shift` is of the size, in its deviations.

    `lost` is the share of ages that are missing, `other` of colours that no training knew.
    """
    size = rng.normal(10 + 2 * shift, 2, count)
    visits = rng.poisson(0.8, count)
    colour = np.where(rng.random(count) < other, 2, rng.random(count) < 0.3)
    age = np.where(rng.random(count) < lost, np.nan, rng.integers(18, 90, count))
    probability = 1 / (1 + np.exp(10 - size))
    inputs = np.column_stack([size, visits, colour, age]).astype(np.float32).astype(np.float64)
    return inputs, np.column_stack([1 - probability, probability])


def profile(inputs: np.ndarray, outputs: np.ndarray) -> dict[str, Any]:
    """Return the data profile of rows that a version learnt from."""
    described = {one.name: describe(one, inputs[:, at]) for at, one in enumerate(FEATURES)}
    answers = {"of": "probability of yes", "at": 1, **describe(Feature(name=""), outputs[:, -1])}
    return {"rows": len(inputs), "features": described, "answers": answers}


def as_captured(inputs: np.ndarray, outputs: np.ndarray) -> CapturedRows:
    """Return rows as they are captured in requests of one row each."""
    return CapturedRows(
        lengths=np.ones(len(inputs), dtype=np.int64),
        requests=[""] * len(inputs),
        callers=[""] * len(inputs),
        keys=[""] * len(inputs),
        times=np.full(len(inputs), np.nan),
        inputs={one.name: inputs[:, at] for at, one in enumerate(FEATURES)},
        outputs={f"answer {at}": outputs[:, at] for at in range(outputs.shape[1])},
    )


@dataclass(kw_only=True)
class Service:
    """A version in service, and its captures."""

    seed: int = 0
    models: Objects = field(default_factory=Objects.in_memory)
    captures: Objects = field(default_factory=Objects.in_memory)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.learn(VERSION)
        self.written = 0

    def learn(self, version: str, **how: Any) -> None:
        """Register a version's profile, of 2,000 rows."""
        folder = f"{MODEL}/{layout.VERSIONS}{version}"
        self.models.put_json(f"{folder}/card.json", CARD)
        self.models.put_json(f"{folder}/profile.json", profile(*drawn(self.rng, 2_000, **how)))

    def ask(
        self,
        day: int,
        requests: int,
        *,
        rows: int = 1,
        version: str = VERSION,
        caller: str = "",
        redacted: Sequence[str] = (),
        **how: Any,
    ) -> list[dict[str, Any]]:
        """Capture requests of so many rows, on the day of that number; of redacted features, digests.

        Return their records.
        """
        inputs, outputs = drawn(self.rng, requests * rows, **how)
        at_noon = (DAY + timedelta(days=day)).timestamp()
        records = []
        for at in range(requests):
            own = slice(at * rows, (at + 1) * rows)
            hidden = [place for place, one in enumerate(FEATURES) if one.name in redacted]
            records.append(
                {
                    "time": at_noon + at,
                    "request": f"r-{day}-{self.written}-{at}",
                    "version": version,
                    "variant": "champion",
                    "caller": caller or f"c{at % 30}",
                    "inputs": [
                        ["d1" if at in hidden else None if np.isnan(value) else value for at, value in enumerate(row)]
                        for row in inputs[own].tolist()
                    ],
                    "outputs": outputs[own].tolist(),
                    **({"redacted": list(redacted)} if redacted else {}),
                }
            )
        self.write(day, records)
        return records

    def finish(self, version: str) -> None:
        """Register a finished model: x [rows, 2], a text, and scores for two classes."""
        card = {"task": "finished", "scores": {"output": "y", "classes": ["no", "yes"]}, "columns": {}}
        self.models.put_json(f"{MODEL}/{layout.VERSIONS}{version}/card.json", card)

    def ask_finished(self, day: int, requests: int, *, version: str = OTHER, shift: float = 0.0, rows: int = 1) -> None:
        """Capture requests to a finished model; `shift` is of the first column of x."""
        records = []
        for _ in range(requests):
            x = self.rng.normal([shift, 0], 1, (rows, 2))
            said = ["often" if one < 0.9 else f"rare {one}" for one in self.rng.random(rows)]
            score = 1 / (1 + np.exp(-x[:, 0]))
            records.append(
                {
                    "version": version,
                    "variant": "champion",
                    "caller": "",
                    "rows": rows,
                    "inputs": {
                        "x": {"datatype": "FP32", "shape": [rows, 2], "data": x.ravel().tolist()},
                        "said": {"datatype": "BYTES", "shape": [rows], "data": said},
                    },
                    "outputs": {
                        "y": {
                            "datatype": "FP32",
                            "shape": [rows, 2],
                            "data": np.column_stack([1 - score, score]).ravel().tolist(),
                        }
                    },
                }
            )
        self.write(day, records)

    def write(self, day: int, records: list[dict[str, Any]]) -> None:
        """Write an object of captures."""
        self.written += 1
        place = folder(MODEL, (DAY + timedelta(days=day)).timestamp())
        self.captures.put(f"{place}/{self.written:06}.jsonl", b"\n".join(canonical(record) for record in records))

    @property
    def checks(self) -> Checks:
        return Checks(model=MODEL, models=self.models, captures=self.captures)

    def check(self, day: int, version: str | None = VERSION) -> dict[str, Any]:
        """Check a day, and store it, as the function does."""
        name, checks = named(day), self.checks
        found = checks.check(name, version)
        checks.write(name, found)
        return found


def named(day: int) -> str:
    return f"{DAY + timedelta(days=day):%Y-%m-%d}"
