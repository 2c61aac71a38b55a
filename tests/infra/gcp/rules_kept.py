"""What a protected stack keeps on GCP."""

from __future__ import annotations

from typing import Final

from tests.graph import Graph
from tests.infra import kept
from tests.infra.gcp import whole as w

DISPOSABLE: Final = frozenset({"code"})
"""What can be made again from the repository need not be protected."""
GOING: Final = frozenset({w.SINK, w.EXCLUSION, w.ACCOUNT, w.SUBSCRIPTION_MEMBER})
"""What goes with a component of which only the logs are left."""
LASTING: Final = {
    w.BUCKET: "holds data",
    w.TOPIC: "passes messages on",
    w.SUBSCRIPTION: "holds messages",
    w.SUBSCRIPTION_MEMBER: "lets messages become dead letters",
    w.TRIGGER: "holds messages",
    w.LOGS: "holds logs",
    w.SINK: "fills the logs",
    w.EXCLUSION: "keeps a second copy of the logs out",
    w.API: "is known to clients",
    w.GATEWAY: "is known to clients",
    w.WORKFLOW: "is known to clients",
    w.ACCOUNT: "may be named in a policy of somebody else",
}


def what_lasts_is_kept(graph: Graph) -> list[str]:
    return kept.unkept(graph, LASTING, DISPOSABLE, GOING)


RULES = (what_lasts_is_kept,)
BROKEN = {
    "what_lasts_is_kept": (
        kept.unprotected(w.BUCKET, "data-bucket"),
        kept.unprotected(w.TOPIC, "jobs-topic"),
        kept.unprotected(w.TOPIC, "datasets-topic"),
        kept.unprotected(w.SUBSCRIPTION, "jobs-dead-letters-kept"),
        kept.unprotected(w.SUBSCRIPTION, "jobs-subscription"),
        kept.unprotected(w.SUBSCRIPTION_MEMBER, "jobs-subscription-subscriber"),
        kept.unprotected(w.TRIGGER, "datasets-trigger"),
        kept.unprotected(w.LOGS, "predict-logs"),
        kept.unprotected(w.SINK, "predict-logs-sink"),
        kept.unprotected(w.EXCLUSION, "api-logs-exclusion"),
        kept.unprotected(w.API, "api-api"),
        kept.unprotected(w.GATEWAY, "api-gateway"),
        kept.unprotected(w.WORKFLOW, "training-workflow"),
        kept.unprotected(w.ACCOUNT, "api-caller"),
        kept.unprotected(w.ACCOUNT, "train-identity"),
    ),
}
