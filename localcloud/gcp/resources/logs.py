"""Log buckets, sinks and exclusions, none of which is created: a function's log is a file that goes with the stack."""

from __future__ import annotations

from collections.abc import Mapping

REASON = "log lines stay in files that end with the stack"

ABSENT: Mapping[str, str] = {
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": REASON,
    "gcp:logging/projectSink:ProjectSink": REASON,
    "gcp:logging/projectExclusion:ProjectExclusion": REASON,
}
