"""AWS."""

from __future__ import annotations

from infra.aws.arrival import Arrival
from infra.aws.function import Function
from infra.aws.gateway import Api
from infra.aws.queue import Queue
from infra.aws.schedule import Schedule
from infra.aws.storage import Store
from infra.aws.upload import Upload
from infra.aws.workflow import Workflow
from infra.vocabulary import Cloud, Packing

CLOUD = Cloud(
    name="aws",
    packing=Packing(built=False),
    store=Store,
    queue=Queue,
    function=Function,
    api=Api,
    workflow=Workflow,
    arrival=Arrival,
    schedule=Schedule,
    upload=Upload,
)
