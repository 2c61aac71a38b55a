"""The stack of the benchmarks: one model, in stores of files. A measured process imports this, and nothing heavy."""

from __future__ import annotations

from pathlib import Path

from infra.processor import ONE_THREAD

MODEL = "breast_cancer"


def environment(store: Path, workspace: Path) -> dict[str, str]:
    """Return the predict function's environment variables."""
    return {
        "MODELS": MODEL,
        "MODELS_URL": f"file://{store}",
        "CAPTURES_URL": f"file://{workspace / 'captures'}",
        "JOBS_URL": f"file://{workspace / 'jobs'}",
        "POINTER_SECONDS": "5",
        "TIMEOUT_SECONDS": "15",
        "CAPTURE_INPUTS": "0",
        "LOG_LEVEL": "INFO",
        **ONE_THREAD,
    }
