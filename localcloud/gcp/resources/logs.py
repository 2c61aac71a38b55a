"""Where log lines are kept. Here each function's stay in one file, and go with the stack."""

from __future__ import annotations

from collections.abc import Mapping

KEPT = "log lines stay in files that end with the stack"

ABSENT: Mapping[str, str] = {
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": KEPT,
    "gcp:logging/projectSink:ProjectSink": KEPT,
    "gcp:logging/projectExclusion:ProjectExclusion": KEPT,
}
