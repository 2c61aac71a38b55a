"""What `make up` tells the console of what it has deployed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from localcloud.commands.up import stack_commands
from localcloud.engine.program import Declared, Registered
from localcloud.engine.resource_handler import Resource


def test_each_resource_is_told_by_type_name_and_id() -> None:
    declared = Declared(type="aws:s3/bucket:Bucket", name="data-bucket", urn="urn:1", parent="", custom=True, inputs={})
    made = Resource(declared=declared, registered=Registered(id="data-1", outputs={"secret": "x"}), fingerprint="f")
    commands = stack_commands(cast(Any, SimpleNamespace(resources=(made,))))
    told = [{"type": "aws:s3/bucket:Bucket", "name": "data-bucket", "id": "data-1"}]
    assert commands["resources"]({}) == {"resources": told}
