"""Local files as objects in Cloud Storage."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from infra.gcp.storage import Store
from infra.vocabulary import UploadArgs


class Upload(pulumi.ComponentResource):
    """One object with the content of a local file.

    It is uploaded once its store is complete, so that it is kept and announced as any other.
    """

    def __init__(self, name: str, args: UploadArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        if not isinstance(args.store, Store):
            raise TypeError(f"upload {name}: {type(args.store).__name__} is no store of this cloud")
        super().__init__("serverless-ml:gcp:Upload", name, None, opts)
        gcp.storage.BucketObject(
            f"{name}-object",
            bucket=args.store.name,
            name=args.key,
            source=pulumi.FileAsset(str(args.file)),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.store]),
        )
        self.register_outputs({})
