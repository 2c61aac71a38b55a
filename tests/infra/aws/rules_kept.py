"""What a protected stack keeps on AWS."""

from __future__ import annotations

from typing import Final

from tests.graph import Graph
from tests.infra import kept
from tests.infra.aws import whole as w

DISPOSABLE: Final = frozenset({"code"})
"""What can be made again from the repository need not be protected."""
LASTING: Final = {
    w.BUCKET: "holds data",
    w.PUBLIC_ACCESS: "guards data",
    w.OWNERSHIP: "guards data",
    w.ENCRYPTION: "guards data",
    w.BUCKET_POLICY: "guards data",
    w.VERSIONING: "guards data",
    w.LIFECYCLE: "guards data",
    w.NOTIFICATION: "announces data",
    w.QUEUE: "holds messages",
    w.QUEUE_POLICY: "guards messages",
    w.REDRIVE_ALLOW: "guards messages",
    w.LOG_GROUP: "holds logs",
    w.API: "is known to clients",
    w.STAGE: "is known to clients",
    w.MACHINE: "is known to clients",
}


def what_lasts_is_kept(graph: Graph) -> list[str]:
    return kept.unkept(graph, LASTING, DISPOSABLE)


RULES = (what_lasts_is_kept,)
BROKEN = {
    "what_lasts_is_kept": (
        kept.unprotected(w.BUCKET, "data-bucket"),
        kept.unprotected(w.PUBLIC_ACCESS, "models-public-access"),
        kept.unprotected(w.LIFECYCLE, "captures-lifecycle"),
        kept.unprotected(w.QUEUE, "jobs-dead-letters"),
        kept.unprotected(w.QUEUE, "datasets-dead-letters"),
        kept.unprotected(w.QUEUE, "retrain-breast_cancer-dead-letters"),
        kept.unprotected(w.QUEUE_POLICY, "jobs-queue-policy"),
        kept.unprotected(w.LOG_GROUP, "predict-logs"),
        kept.unprotected(w.LOG_GROUP, "training-logs"),
        kept.unprotected(w.API, "api-http"),
        kept.unprotected(w.STAGE, "api-stage"),
        kept.unprotected(w.MACHINE, "training-machine"),
    ),
}
