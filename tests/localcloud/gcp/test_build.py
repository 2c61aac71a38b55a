from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.registry.versions import Registry
from functions.core.storage.store_url import open_store
from infra import bundle, gcp
from infra.function_table import FUNCTIONS, named
from infra.settings import Runtime
from infra.target import target
from localcloud.engine.cloud import CloudFailed
from localcloud.gcp.cloudrun.build import build
from tests.functions.pushed import serving
from tests.functions.serving import MODEL, card_of, golden_of, model_bytes

HERE = target(Runtime(python="host", architecture="host"))
LOCK = bundle.REQUIREMENTS / "gcp" / "predict.txt"


def packed(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_py", ".py").replace("_txt", ".txt"), text)
    return path


def lock_of(*packages: str) -> str:
    """The lines of some packages, cut from a lock of the project."""
    entries = re.split(r"\n(?=\S)", LOCK.read_text(encoding="utf-8"))
    return "\n".join(entry for entry in entries if entry.split("==")[0] in packages)


@pytest.mark.integration
def test_a_function_runs_from_its_archive_alone(tmp_path: Path) -> None:
    archive = bundle.archive(named("predict"), cloud=gcp.CLOUD, platform=HERE, models=["breast_cancer"])
    built = build(archive.path, tmp_path / "source")
    urls = {name: f"file://{tmp_path}/{name}" for name in ("MODELS_URL", "JOBS_URL", "CAPTURES_URL")}
    variables = {**urls, "MODELS": MODEL, "POINTER_SECONDS": "0", "TIMEOUT_SECONDS": "15", "CAPTURE_INPUTS": "0"}
    with serving(built.command, tmp_path / "workspace", variables) as served:
        assert served.send("GET", "/v2/health/ready", {})[0] == 503
        models, onnx = open_store(urls["MODELS_URL"]), model_bytes()
        version = Registry(models, MODEL).register(onnx, card_of(), golden_of(onnx), {})
        Live(models, MODEL).change(lambda pointer: promote_first(pointer, version, "first", 0.0))
        status, headers, _ = served.replay("gateway_predict")
        assert (status, headers["x-model-version"]) == (200, version)
        lines = [line for line in served.logged() if line.get("event") == "request"]
    assert [line["operation"] for line in lines] == ["server_ready", "predict"]
    assert all("logging.googleapis.com/labels" in line for line in lines)


@pytest.mark.integration
def test_archives_with_the_same_lock_share_one_environment_that_is_made_once(tmp_path: Path) -> None:
    lock = lock_of("idna")
    first = build(
        packed(tmp_path / "one.zip", main_py="handle = 1", requirements_txt=lock), tmp_path / "one", cache=tmp_path
    )
    made_at = first.python.parents[1].joinpath(".installed").stat().st_mtime_ns
    second = build(
        packed(tmp_path / "two.zip", main_py="handle = 2", requirements_txt=lock), tmp_path / "two", cache=tmp_path
    )
    assert second.python == first.python
    assert first.python.parents[1].joinpath(".installed").stat().st_mtime_ns == made_at
    assert second.source != first.source
    assert list(second.source.glob("__pycache__/main.*.pyc"))


@pytest.mark.integration
def test_an_environment_that_was_left_incomplete_is_installed_again(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", main_py="handle = 1", requirements_txt=lock_of("idna"))
    python = build(archive, tmp_path / "one", cache=tmp_path).python
    environment = python.parents[1]
    environment.joinpath(".installed").unlink()
    for file in environment.glob("lib/*/site-packages/idna/*.py"):
        file.unlink()
    assert build(archive, tmp_path / "two", cache=tmp_path).python == python
    assert list(environment.glob("lib/*/site-packages/idna/core.py"))


@pytest.mark.integration
def test_a_lock_that_leaves_out_what_a_package_declares_is_refused_as_the_cloud_would(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", main_py="handle = 1", requirements_txt=lock_of("jinja2"))
    with pytest.raises(
        CloudFailed, match=r"a\.zip: the build cannot install its requirements\.txt:[\s\S]*`markupsafe`"
    ):
        build(archive, tmp_path / "source", cache=tmp_path)


@pytest.mark.integration
def test_a_lock_whose_hash_differs_is_refused(tmp_path: Path) -> None:
    lock = re.sub("sha256:.{8}", "sha256:00000000", lock_of("idna"))
    with pytest.raises(CloudFailed, match="cannot install"):
        build(
            packed(tmp_path / "a.zip", main_py="handle = 1", requirements_txt=lock),
            tmp_path / "source",
            cache=tmp_path,
        )


@pytest.mark.parametrize("lacking", ["main.py", "requirements.txt"])
def test_an_archive_without_what_the_build_looks_for_is_refused(lacking: str, tmp_path: Path) -> None:
    files = {"main_py": "handle = 1", "requirements_txt": ""}
    del files[lacking.replace(".", "_")]
    with pytest.raises(CloudFailed, match=rf"a\.zip: holds no {lacking}"):
        build(packed(tmp_path / "a.zip", **files), tmp_path / "source", cache=tmp_path)


@pytest.mark.integration
def test_a_function_that_cannot_be_compiled_is_refused_with_the_line(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", main_py="def handle(:\n", requirements_txt=lock_of("idna"))
    with pytest.raises(CloudFailed, match=r"a\.zip: cannot be compiled:\n[\s\S]*def handle\(:"):
        build(archive, tmp_path / "source", cache=tmp_path)


@pytest.mark.parametrize("entry", [spec.lock for spec in FUNCTIONS])
def test_every_lock_of_gcp_holds_what_the_function_asks_for_and_the_framework_by_the_same_version(entry: str) -> None:
    def requirements(path: str) -> set[str]:
        text = (bundle.REQUIREMENTS / path).read_text(encoding="utf-8")
        return {line.partition("#")[0].strip() for line in text.splitlines() if re.match("[a-z]", line)}

    locked = {line.partition(" ")[0] for line in requirements(f"gcp/{entry}.txt")}
    wanted = requirements(f"{entry}.in") | requirements("gcp/framework.in")
    assert {pin for pin in wanted if "==" in pin} <= locked
    assert {re.split("[<>=]", pin)[0] for pin in wanted} <= {pin.split("==")[0] for pin in locked}
