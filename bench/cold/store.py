"""Stores for `function.py`: `python bench/cold/store.py FOLDER` trains a small model and makes it live there."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier

from functions.core.export import to_onnx
from functions.core.live import Live
from functions.core.objects import open_store
from functions.core.pointer import promote_first
from functions.core.registry import Registry
from functions.core.signature import INPUT, LABEL, PROBABILITIES

MODEL, GOLDEN_ROWS = "breast_cancer", 8


def main(folder: Path) -> None:
    data = load_breast_cancer()
    estimator = GradientBoostingClassifier(random_state=0).fit(data.data, data.target)
    onnx = to_onnx(estimator, data.data.shape[1])
    (folder / "model.onnx").write_bytes(onnx)
    objects = open_store(f"file://{folder / 'models'}")
    rows = data.data[:GOLDEN_ROWS]
    card = {
        "features": [{"name": str(name).replace(" ", "_")} for name in data.feature_names],
        "target": {"name": "diagnosis", "classes": [str(name) for name in data.target_names]},
        "input": INPUT,
        "outputs": {"label": LABEL, "probabilities": PROBABILITIES},
    }
    answers = estimator.predict_proba(rows.astype("float32")).tolist()
    golden = {"inputs": rows.tolist(), "probabilities": answers, "tolerance": 1e-4}
    version = Registry(objects, MODEL).register(onnx, card, golden, {})
    Live(objects, MODEL).change(lambda pointer: promote_first(pointer, version, "bench", time.time()))


if __name__ == "__main__":
    place = Path(sys.argv[1]).resolve()
    place.mkdir(parents=True, exist_ok=True)
    main(place)
