"""What GCP would answer, by type token: see `tests.graph.Recorder`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

OUTPUTS: dict[str, Callable[[Mapping[str, Any], str], dict[str, Any]]] = {}
CALLS: dict[str, dict[str, Any]] = {}
