"""Cold starts with a model of 25 MB that is fetched from the object store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from bench import subject
from bench.cold import PEERS, handler
from bench.environments import Unavailable
from bench.measure import in_turn
from bench.models import dense
from bench.row import Missing, Row
from localcloud.aws import interpreter
from localcloud.aws.emulator import Emulator
from localcloud.aws.objects import Objects
from localcloud.aws.session import Session

GROUP = "cold start, 25 MB fetched from the store"
OURS, REFERENCE, AGAIN = "predict function", "http.client + SigV4 + onnxruntime", "http.client, again"
BOTO = "boto3 + onnxruntime"
BUCKET, KEY, REGION = "models", "plain/model.onnx", "eu-west-1"


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row | Missing]:
    with Emulator(interpreter(), workspace / "emulator", region=REGION, progress=say) as emulator:
        session = Session(endpoint=emulator.endpoint, certificate=emulator.certificate, region=REGION)
        _fill(session, workspace)
        variables = {
            "AWS_ENDPOINT_URL": emulator.endpoint,
            "AWS_CA_BUNDLE": str(emulator.certificate),
            "SSL_CERT_FILE": str(emulator.certificate),
            "AWS_ACCESS_KEY_ID": session.credentials["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": session.credentials["secret_access_key"],
            "AWS_DEFAULT_REGION": REGION,
        }
        event = subject.plain_event(1)
        stores = {name: f"s3://{BUCKET}" for name in ("MODELS_URL", "CAPTURES_URL", "JOBS_URL")}
        ours = {**subject.environment(workspace, workspace), **variables, **stores}
        plain = {**variables, "MODEL_PATH": f"/{BUCKET}/{KEY}"}
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
            yield Missing(group=GROUP, name=REFERENCE, reason=str(problem))
            return
    control = measured.ratios(AGAIN, REFERENCE).median
    for against, target in ((REFERENCE, 1.05), (BOTO, None)):
        yield Row(
            group=GROUP,
            name="time",
            against=against,
            figure=measured.ratios(OURS, against),
            target=target,
            value=measured.values(OURS).times(1000),
            control=control,
        )


def _fill(session: Session, workspace: Path) -> None:
    """Store the same model twice: registered for ours, and as a plain object for the peers."""
    session.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    onnx = dense(25)
    objects = Objects(session.client("s3"), BUCKET)
    objects.put(KEY, onnx)
    registry = subject.registered(workspace / "registry", onnx)
    for file in sorted(path for path in registry.rglob("*") if path.is_file()):
        objects.put(file.relative_to(registry).as_posix(), file)
