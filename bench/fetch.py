"""Cold starts with models of 25 and 100 MB that are fetched from the object store and opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from bench import files, subject
from bench.cold import PEERS, handler
from bench.environments import Unavailable
from bench.measure import in_turn
from bench.models import dense
from bench.row import Missing, Row
from localcloud.aws import interpreter
from localcloud.aws.emulator import Emulator
from localcloud.aws.objects import Objects
from localcloud.aws.session import Session

GROUP = "cold start, weights fetched from the store and opened"
OURS, REFERENCE, AGAIN = "predict function", "http.client + SigV4 + onnxruntime", "http.client, again"
BOTO = "boto3 + onnxruntime"
REGION, KEY = "eu-west-1", "plain/model.onnx"
TARGETS = {25: 0.75, 100: 0.6}
"""By megabytes of weights."""


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row | Missing]:
    with Emulator(interpreter(), workspace / "emulator", region=REGION, progress=say) as emulator:
        session = Session(
            endpoint=emulator.endpoint,
            certificate=emulator.certificate,
            region=REGION,
            key=emulator.root.key,
            secret=emulator.root.secret,
        )
        variables = {
            "AWS_ENDPOINT_URL": emulator.endpoint,
            "AWS_CA_BUNDLE": str(emulator.certificate),
            "SSL_CERT_FILE": str(emulator.certificate),
            "AWS_ACCESS_KEY_ID": session.credentials["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": session.credentials["secret_access_key"],
            "AWS_DEFAULT_REGION": REGION,
        }
        for size in (25,) if quick else TARGETS:
            bucket = _filled(session, workspace, size)
            yield from _rows(workspace, bucket, variables, size, rounds, say)


def _rows(
    workspace: Path, bucket: str, variables: dict[str, str], size: int, rounds: int, say: Callable[[str], None]
) -> Iterator[Row | Missing]:
    event, name = subject.plain_event(1), f"{size} MB of weights"
    stores = {store: f"s3://{bucket}" for store in ("MODELS_URL", "CAPTURES_URL", "JOBS_URL")}
    ours = {**files.environment(workspace, workspace), **variables, **stores}
    plain = {**variables, "MODEL_PATH": f"/{bucket}/{KEY}"}
    try:
        measured = in_turn(
            {
                OURS: handler("runtime", "main", ours, event, subject.unpacked()),
                REFERENCE: handler("store", "fetch_sigv4", plain, event, PEERS),
                AGAIN: handler("store", "fetch_sigv4", plain, event, PEERS),
                BOTO: handler("store", "fetch_boto3", plain, event, PEERS),
            },
            rounds=rounds,
            say=say,
        )
    except Unavailable as problem:
        yield Missing(group=GROUP, name=name, reason=str(problem))
        return
    control = measured.ratios(AGAIN, REFERENCE).median
    for against, target in ((REFERENCE, TARGETS[size]), (BOTO, None)):
        yield Row(
            group=GROUP,
            name=name,
            against=against,
            figure=measured.ratios(OURS, against),
            target=target,
            value=measured.values(OURS).times(1000),
            control=control,
        )


def _filled(session: Session, workspace: Path, size: int) -> str:
    """Store the same model twice, registered for ours and as a plain object for the peers; return the bucket."""
    bucket = f"models-{size}"
    session.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    onnx = dense(size)
    objects = Objects(session.client("s3"), bucket)
    objects.put(KEY, onnx)
    registry = subject.registered(workspace / f"registry-{size}", onnx)
    for file in sorted(path for path in registry.rglob("*") if path.is_file()):
        objects.put(file.relative_to(registry).as_posix(), file)
    return bucket
