"""GCP, as far as it is built: stores, queues, functions, the API and access. Training is not: see `CLOUD`."""

from __future__ import annotations

from infra.gcp.function import Function
from infra.gcp.gateway import Api
from infra.gcp.queue import Queue
from infra.gcp.storage import Store
from infra.vocabulary import Cloud

CLOUD = Cloud(name="gcp", store=Store, queue=Queue, function=Function, api=Api)
