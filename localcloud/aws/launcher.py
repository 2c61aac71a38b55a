"""Runs ministack in the emulator's own interpreter, restricted so that it is safe on a laptop.

- It listens on one loopback port and nowhere else, and takes nobody for its root user but who has this run's key.
- Its TLS certificate is created here, so neither `openssl` nor the system's root certificates are needed.
- A function sees the standard library and its own archive, and nothing of the emulator's environment.
- It tells which services its region has, and refuses what Lambda refuses.
- An archive is unpacked once, read-only, and shared by all copies of the function.
- It writes down which objects are written, which errors functions log, and which of their calls fail.
- Its metrics tell how old the oldest message of each queue is.
- The tail of a call's log ends with Lambda's report: how long it took, and what memory it used.
- A function whose variables ask for it runs within the processor share and the memory of its size.

Usage: launcher.py <workspace> <happenings>, where <workspace> is a private folder that the caller removes, and
<happenings> the file for what it writes down, a line of JSON each.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib
import json
import os
import runpy
import secrets
import shlex
import shutil
import sys
import threading
import types
import zipfile
from pathlib import Path
from typing import Any

INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "PYTHONUNBUFFERED")
"""The environment variables that a function inherits, besides those that ministack sets for it."""

SERVICES = (
    "apigatewayv2",
    "application-autoscaling",
    "iam",
    "lambda",
    "logs",
    "s3",
    "scheduler",
    "sqs",
    "stepfunctions",
)
"""What a region has here, by the names of AWS's list of services."""
READY, CODE = "/_ministack/ready", "/_ministack/lambda-code/"
ENFORCE = "ENFORCE_SIZE"
"""The variable of a function that is to run within the processor share and the memory of its size."""
PROCESSOR_MB, PERIOD_MS = 1769, 20
"""Memory that brings one processor, and the period of its quota, "through observation":
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html, github.com/pwrdrvr/lambda-dispatch/issues/246"""
LIMITS = Path(__file__).resolve().parents[1] / "support" / "size_limits.py"
BESIDE = Path(__file__).parent
"""What lies there is loaded by its path: its names must not hide the emulator's own modules."""
LIST_REGION = "us-east-1"
"""A region that AWS's list has for every service, beside the emulator's own."""


def main(workspace: Path, happenings: Path) -> None:
    """Run ministack until it is stopped."""
    certificate, key = _certificate(workspace)
    os.environ["MINISTACK_SSL_CERT"], os.environ["MINISTACK_SSL_KEY"] = str(certificate), str(key)
    for name in ("AWS_CA_BUNDLE", "SSL_CERT_FILE"):
        os.environ[name] = str(certificate)
    _trust_one_key(
        importlib.import_module("ministack.core.iam_evaluator"), importlib.import_module("ministack.services.sts")
    )
    app = importlib.import_module("ministack.app")
    _close_back_doors(app, _sign_code(importlib.import_module("ministack.services.lambda_svc")))
    _replace(app, "_port_is_bindable", lambda _host, _port: False)
    _isolate_workers(importlib.import_module("ministack.core.lambda_runtime"), workspace)
    _list_services(importlib.import_module("ministack.services.ssm"), os.environ["MINISTACK_REGION"])
    rules = runpy.run_path(str(BESIDE / "lambda_rules.py"))
    rules["check"](importlib.import_module("ministack.core.iam_actions"))
    rules["bound"](importlib.import_module("ministack.services.lambda_svc"))
    runpy.run_path(str(BESIDE / "lambda_report.py"))["report"](
        importlib.import_module("ministack.core.lambda_runtime"),
        importlib.import_module("ministack.services.lambda_svc"),
    )
    runpy.run_path(str(BESIDE / "queue_age.py"))["measure"](
        importlib.import_module("ministack.services.cloudwatch"), importlib.import_module("ministack.services.sqs")
    )
    _write_down(
        happenings,
        importlib.import_module("ministack.services.s3"),
        importlib.import_module("ministack.services.lambda_svc"),
    )
    sys.argv = ["ministack"]
    app.main()


def _certificate(workspace: Path) -> tuple[Path, Path]:
    """Create a self-signed certificate for the loopback address, valid for a week; return its file and its key's."""
    x509 = importlib.import_module("cryptography.x509")
    ec = importlib.import_module("cryptography.hazmat.primitives.asymmetric.ec")
    hashes = importlib.import_module("cryptography.hazmat.primitives.hashes")
    serialization = importlib.import_module("cryptography.hazmat.primitives.serialization")
    ipaddress = importlib.import_module("ipaddress")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "serverless-ml local")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        # rustls refuses a CA certificate that is served as the leaf.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    return _write(workspace / "tls.crt", certificate.public_bytes(encoding)), _write(workspace / "tls.key", private)


def _write(path: Path, content: bytes) -> Path:
    draft = path.with_suffix(path.suffix + ".draft")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    return draft.rename(path)


def _isolate_workers(runtime: Any, workspace: Path) -> None:
    python = _interpreter(workspace)
    script = runtime._PYTHON_WORKER_SCRIPT
    _replace(runtime, "_detect_runtime_binary", lambda _runtime: (str(python), script))
    _replace(runtime, "zipfile", types.SimpleNamespace(**{**vars(zipfile), "ZipFile": _shared(workspace / "code")}))


def _trust_one_key(*modules: Any) -> None:
    """Have the key of the environment be that of the root user: the emulator takes `test` and any account's id, too.

    No key at all is a request without a signature, which the emulator refuses where it has to be signed.
    """
    root = os.environ["AWS_ACCESS_KEY_ID"]
    for module in modules:
        _replace(module, "is_root_access_key", lambda key: not key or key == root)


def _sign_code(functions: Any) -> str:
    """Have the URL that GetFunction gives for a function's code be good for who got it alone; return what says so."""
    secret, url = secrets.token_urlsafe(24), functions._presigned_code_url
    _replace(
        functions,
        "_presigned_code_url",
        lambda name: url(name).replace("http://", "https://").replace("ministack-local-presigned", secret),
    )
    return secret


def _close_back_doors(app: Any, code: str) -> None:
    """Answer none of the emulator's own paths but the one that tells whether it is ready: they ask for no key.

    A function's code is there for a URL with the signature `code`.
    """
    serve = app.app

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        signed = scope.get("query_string", b"").endswith(f"X-Amz-Signature={code}".encode())
        known = path == READY or (path.startswith(CODE) and signed)
        if known or not path.startswith(("/_ministack/", "/_localstack/")):
            await serve(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    _replace(app, "app", guarded)


def _list_services(ssm: Any, region: str) -> None:
    """Add AWS's list of regions and services to the parameters that everybody may read.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters-global-infrastructure.html
    """
    listed = {
        f"/aws/service/global-infrastructure/services/{service}/regions/{place}": place
        for service in SERVICES
        for place in {LIST_REGION, region}
    }
    _replace(ssm, "_PUBLIC_AMI_PARAMETERS", {**ssm._PUBLIC_AMI_PARAMETERS, **listed})


def _write_down(file: Path, s3: Any, functions: Any) -> None:
    """Append to `file` each object that is written, each error that a function logs, and each call that fails."""
    announce, execute = s3._fire_s3_event_async, functions._execute_function_warm
    output, lock = file.open("a", encoding="utf-8"), threading.Lock()

    def add(**event: str) -> None:
        with lock:
            output.write(json.dumps(event) + "\n")
            output.flush()

    def announced(bucket: str, key: str, event: str, *args: Any, **named: Any) -> None:
        if event.startswith("s3:ObjectCreated"):
            add(bucket=bucket, key=key)
        announce(bucket, key, event, *args, **named)

    def executed(function: Any, *args: Any, **named: Any) -> Any:
        result, name = execute(function, *args, **named), (function.get("config") or function)["FunctionName"]
        for line in str(result.get("log") or "").splitlines():
            if line.startswith("{") and '"ERROR"' in line:
                add(function=name, line=line)
        if result.get("error"):
            body = result.get("body")
            problem = body if isinstance(body, dict) else {"errorMessage": str(body)}
            error = f"{problem.get('errorType') or 'Error'}: {problem.get('errorMessage')}"
            add(function=name, error=error, trace="".join(problem.get("stackTrace") or ()))
        return result

    _replace(s3, "_fire_s3_event_async", announced)
    _replace(functions, "_execute_function_warm", executed)


def _interpreter(workspace: Path) -> Path:
    """Write a script that runs this interpreter without site-packages and the emulator's variables; return its path.

    `-S` keeps the emulator's own packages off `sys.path`, so a dependency that an archive
    lacks is missing here as it is in the cloud.
    """
    dropped = " ".join(
        sorted(name for name in os.environ if name not in INHERITED and not name.startswith(("AWS_", "SSL_")))
    )
    path = workspace / "python"
    python, share = shlex.quote(sys.executable), f"$AWS_LAMBDA_FUNCTION_MEMORY_SIZE/{PROCESSOR_MB}"
    held = f"{shlex.quote(str(LIMITS))} $$ {share} {PERIOD_MS} $AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
    # Its standard error stays open: there it says what was killed.
    hold = f'[ -z "${ENFORCE}" ] || ({python} -I -S {held} </dev/null >/dev/null &)'
    path.write_text(f'#!/bin/sh\nunset {dropped}\n{hold}\nexec {python} -S "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


def _shared(cache: Path) -> type[zipfile.ZipFile]:
    lock = threading.Lock()
    cache.mkdir(exist_ok=True)

    class Shared(zipfile.ZipFile):
        """Extracts each archive once, and links every later extraction to it."""

        def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
            """Make `path` a link to the folder that the archive was extracted into."""
            entries = repr([(entry.filename, entry.CRC, entry.file_size) for entry in self.infolist()])
            unpacked = cache / hashlib.sha256(entries.encode()).hexdigest()[:32]
            with lock:
                if not unpacked.exists():
                    draft = cache / "draft"
                    shutil.rmtree(draft, ignore_errors=True)
                    super().extractall(draft, members, pwd)
                    _read_only(draft)
                    draft.rename(unpacked)
            # The emulator writes the whole archive again for every copy of a function, and never reads it.
            Path(str(self.filename)).unlink()
            Path(path).rmdir()
            Path(path).symlink_to(unpacked, target_is_directory=True)

    return Shared


def _read_only(tree: Path) -> None:
    for folder, _, files in os.walk(tree, topdown=False):
        for path in (Path(folder, file) for file in files):
            path.chmod(0o555)
        if Path(folder) != tree:
            Path(folder).chmod(0o555)


def _replace(module: Any, name: str, value: object) -> None:
    if not hasattr(module, name):
        raise SystemExit(f"{module.__name__} has no {name}: this version of ministack is not the one in requirements/")
    setattr(module, name, value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
