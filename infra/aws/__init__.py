"""AWS: each word of the vocabulary as components of this cloud."""

from __future__ import annotations

from infra.aws.arrival import Arrival
from infra.aws.function import Function
from infra.aws.gateway import Api
from infra.aws.queue import Queue
from infra.aws.quotas import wants
from infra.aws.regions import require_region
from infra.aws.schedule import Schedule
from infra.aws.storage import Store
from infra.aws.upload import Upload
from infra.aws.workflow import Workflow
from infra.tier import Tier
from infra.vocabulary import Cloud, Packing

SITECUSTOMIZE = """try:
    from functions.core.onnx import library
except ImportError:
    pass  # a function that opens no model
else:
    library.begin()
"""
"""The interpreter runs this before it imports Lambda's own client, which takes as long as onnxruntime takes to open:
https://docs.python.org/3/library/site.html#module-sitecustomize. `infra.aws.function.PYTHONPATH` has it found."""

CLOUD = Cloud(
    name="aws",
    tier=Tier.EMBEDDED,
    packing=Packing(built=False, files={"sitecustomize.py": SITECUSTOMIZE}),
    store=Store,
    queue=Queue,
    function=Function,
    api=Api,
    workflow=Workflow,
    arrival=Arrival,
    schedule=Schedule,
    upload=Upload,
    require_region=require_region,
    quotas=wants,
)
