from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pulumi
import pytest

from functions.core.onnx.library import find
from infra import aws, bundle, gcp, zip_file
from infra.aws.function import PYTHONPATH
from infra.function_table import named
from infra.settings import Runtime
from infra.target import target
from infra.tier import Tier
from infra.vocabulary import Cloud
from models.section import LOCK
from tests.functions.serving import model_bytes

pytestmark = pytest.mark.integration

HERE = target(Runtime(python="host", architecture="host"))


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a lock of one small pure package, cut from the project's own."""
    folder = tmp_path / "requirements"
    folder.mkdir()
    lines = (bundle.REQUIREMENTS / "train.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    start = next(index for index, line in enumerate(lines) if line.startswith("threadpoolctl=="))
    end = next((index for index in range(start + 1, len(lines)) if not lines[index].startswith(" ")), len(lines))
    for lock in (folder / "predict.txt", folder / "gcp" / "predict.txt"):
        lock.parent.mkdir(exist_ok=True)
        lock.write_text("".join(lines[start:end]), encoding="utf-8")
    monkeypatch.setattr(bundle, "REQUIREMENTS", folder)
    return folder


every_cloud = pytest.mark.parametrize("cloud", [aws.CLOUD, gcp.CLOUD], ids=lambda cloud: cloud.name)


def build(cache: Path, cloud: Cloud = aws.CLOUD) -> bundle.Archive:
    return bundle.archive(named("predict"), cloud=cloud, platform=HERE, models=["breast_cancer"], cache=cache)


@every_cloud
def test_the_same_inputs_give_the_same_bytes(cloud: Cloud, requirements: Path, tmp_path: Path) -> None:
    first, second = build(tmp_path / "one", cloud), build(tmp_path / "other", cloud)
    assert first.path != second.path
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.digest == second.digest


@every_cloud
def test_what_has_not_changed_is_not_built_again(cloud: Cloud, requirements: Path, tmp_path: Path) -> None:
    first = build(tmp_path / "cache", cloud)
    written = first.path.stat().st_mtime_ns
    assert build(tmp_path / "cache", cloud) == first
    assert first.path.stat().st_mtime_ns == written


@pytest.mark.parametrize(("cloud", "lock"), [(aws.CLOUD, "predict.txt"), (gcp.CLOUD, "gcp/predict.txt")])
def test_a_changed_lock_gives_another_archive(cloud: Cloud, lock: str, requirements: Path, tmp_path: Path) -> None:
    before = build(tmp_path / "cache", cloud)
    changed = (requirements / lock).read_text(encoding="utf-8").replace("threadpoolctl==", "threadpoolctl ==")
    (requirements / lock).write_text(changed, encoding="utf-8")
    assert build(tmp_path / "cache", cloud).path != before.path


@pytest.mark.parametrize(("cloud", "folder"), [(aws.CLOUD, "."), (gcp.CLOUD, "gcp")])
def test_a_step_that_knows_runs_carries_the_digest_of_the_lock_of_training(
    cloud: Cloud, folder: str, requirements: Path, tmp_path: Path
) -> None:
    small = (requirements / "predict.txt").read_bytes()
    (requirements / folder / "rollout.txt").write_bytes(small)

    def lock(training: bytes) -> bytes:
        (requirements / folder / "train.txt").write_bytes(training)
        built = bundle.archive(named("rollout"), cloud=cloud, platform=HERE, models=["breast_cancer"], cache=tmp_path)
        with zipfile.ZipFile(built.path) as archive:
            return archive.read(f"models/{LOCK}")

    assert lock(b"numpy==1\n") == hashlib.sha256(b"numpy==1\n").hexdigest().encode()
    assert lock(b"numpy==2\n") != lock(b"numpy==1\n")
    with zipfile.ZipFile(build(tmp_path, cloud).path) as archive:
        assert f"models/{LOCK}" not in archive.namelist()


def test_code_and_dependencies_are_inside_compiled_and_sorted_under_one_date(
    requirements: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(build(tmp_path / "cache").path) as archive:
        names = archive.namelist()
        dates = {entry.date_time for entry in archive.infolist()}
    tag = sys.implementation.cache_tag
    assert {"threadpoolctl.pyc", "functions/adapters/aws/http.py"} <= set(names)
    assert not {name for name in names if "threadpoolctl" in name and name.endswith(".py")}
    assert f"functions/core/serving/__pycache__/predictor.{tag}.pyc" in names
    assert len(names) == len(set(names))
    assert dates == {zip_file.EPOCH}


def test_what_a_build_of_the_cloud_installs_is_named_in_the_archive_and_not_carried(
    requirements: Path, tmp_path: Path
) -> None:
    built = build(tmp_path / "cache", gcp.CLOUD)
    with zipfile.ZipFile(built.path) as archive:
        names = set(archive.namelist())
        dates = {entry.date_time for entry in archive.infolist()}
        lock, main = archive.read("requirements.txt"), archive.read("main.py").decode()
        unpacked = sum(entry.file_size for entry in archive.infolist())
    assert lock == (requirements / "gcp" / "predict.txt").read_bytes()
    assert main == bundle.main(named("predict"), "gcp")
    assert {name.split("/")[0] for name in names} == {"main.py", "requirements.txt", "functions", "interface", "models"}
    assert {"functions/adapters/gcp/http.py", "functions/entries/predict.py"} <= names
    assert not {name for name in names if "/aws/" in name or name.endswith(".pyc")}
    assert dates == {zip_file.EPOCH}
    assert (built.unpacked, built.size) == (unpacked, built.path.stat().st_size)


def test_a_lock_that_is_not_there_is_named_with_what_writes_it(requirements: Path, tmp_path: Path) -> None:
    (requirements / "gcp" / "predict.txt").unlink()
    with pytest.raises(pulumi.RunError, match=r"requirements/gcp/predict.txt is missing; `make lock` writes it"):
        build(tmp_path / "cache", gcp.CLOUD)


def test_an_unpacked_archive_runs_without_writing_into_its_folder(requirements: Path, tmp_path: Path) -> None:
    folder = tmp_path / "task"
    with zipfile.ZipFile(build(tmp_path / "cache").path) as archive:
        archive.extractall(folder)
    before = sorted(folder.rglob("*"))
    code = "import sys; sys.path.insert(0, '.'); import threadpoolctl, functions.core; print(threadpoolctl.__cached__)"
    process = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert process.stdout.strip().endswith(".pyc")
    assert sorted(folder.rglob("*")) == before


def test_an_archive_that_names_no_compiler_holds_sources_and_a_preview_says_so(
    requirements: Path, tmp_path: Path
) -> None:
    plain = replace(HERE, compiler=None)
    built = bundle.archive(named("predict"), cloud=aws.CLOUD, platform=plain, models=[], cache=tmp_path / "cache")
    with zipfile.ZipFile(built.path) as archive:
        names = archive.namelist()
    assert "threadpoolctl.py" in names
    assert not [name for name in names if name.endswith(".pyc")]
    assert "archives are not compiled, and each cold start compiles anew; runtime.compiled: true changes it" in (
        bundle.remarks({"predict": built}, aws.CLOUD, plain)
    )
    assert bundle.remarks({"predict": built}, gcp.CLOUD, plain) == []


def test_what_the_compiler_cannot_compile_stays_as_it_is_and_a_preview_says_so(
    requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packing = replace(aws.CLOUD.packing, files={"older.py": "print 'two'\n"})
    cloud = replace(aws.CLOUD, packing=packing)
    built = bundle.archive(named("predict"), cloud=cloud, platform=HERE, models=[], cache=tmp_path / "cache")
    with zipfile.ZipFile(built.path) as archive:
        assert archive.read("older.py") == b"print 'two'\n"
    [line] = [line for line in bundle.remarks({"predict": built}, cloud, HERE) if "older" in line]
    assert line.startswith(f"predict: not compiled by CPython {HERE.compiler}: older.py:1: Missing parentheses")


def test_a_checkout_with_crlf_gives_the_same_archive_and_what_is_no_text_of_ours_is_not_touched(tmp_path: Path) -> None:
    for name in ("a.py", "b.yaml", "c.onnx"):
        (tmp_path / name).write_bytes(b"one\r\ntwo\r\n")
    read = {name: bundle._read(tmp_path / name) for name in ("a.py", "b.yaml", "c.onnx")}
    assert read == {"a.py": b"one\ntwo\n", "b.yaml": b"one\ntwo\n", "c.onnx": b"one\r\ntwo\r\n"}


def test_a_damaged_archive_and_damaged_packages_are_built_again(requirements: Path, tmp_path: Path) -> None:
    first = build(tmp_path / "cache")
    content = first.path.read_bytes()
    for file in (tmp_path / "cache").glob("*.zip"):
        file.write_bytes(b"PK" + file.read_bytes()[2:-10])
    lines: list[str] = []
    again = bundle.archive(
        named("predict"),
        cloud=aws.CLOUD,
        platform=HERE,
        models=["breast_cancer"],
        cache=tmp_path / "cache",
        say=lines.append,
    )
    assert again == first
    assert again.path.read_bytes() == content
    assert len(lines) == 2


def test_a_requirement_whose_hash_differs_stops_the_program_by_the_name_of_its_lock(
    requirements: Path, tmp_path: Path
) -> None:
    lock = requirements / "predict.txt"
    lock.write_text("threadpoolctl==3.8.0 --hash=sha256:" + "0" * 64 + "\n", encoding="utf-8")
    with pytest.raises(pulumi.RunError, match=r"functions/requirements/predict.txt"):
        build(tmp_path / "cache")


@pytest.fixture(scope="module")
def predict(tmp_path_factory: pytest.TempPathFactory) -> bundle.Archive:
    """Build the real archive of predict, for this machine."""
    cache = tmp_path_factory.mktemp("cache")
    return bundle.archive(named("predict"), cloud=aws.CLOUD, platform=HERE, models=["breast_cancer"], cache=cache)


def test_the_predict_archive_carries_the_library_with_its_licences_and_nothing_that_is_not_read(
    predict: bundle.Archive,
) -> None:
    with zipfile.ZipFile(predict.path) as archive:
        names = archive.namelist()
    assert {name for name in names if name.startswith("onnxruntime/")} == {
        "onnxruntime/LICENSE",
        "onnxruntime/ThirdPartyNotices.txt",
        f"onnxruntime/capi/{Path(find()).name}",
    }
    packages = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert packages <= {
        "functions",
        "interface",
        "main.py",
        "models",
        "onnxruntime",
        "obstore",
        "orjson",
        "typing_extensions.pyc",
        "sitecustomize.py",
        "__pycache__",
    }
    assert predict.unpacked < 45e6
    assert predict.size < 17e6


def test_the_predict_archive_answers_by_itself(predict: bundle.Archive, tmp_path: Path) -> None:
    folder = tmp_path / "task"
    with zipfile.ZipFile(predict.path) as archive:
        archive.extractall(folder)
    (tmp_path / "model.onnx").write_bytes(model_bytes())
    code = f"""
import sys; sys.path.insert(0, {str(folder)!r})
import main
from functions.core.onnx import library as ort
from functions.core.onnx.session import Session
from functions.core.onnx.tensor import Tensor
answers = Session(open({str(tmp_path / "model.onnx")!r}, "rb").read()).run({{"X": Tensor.of("FP32", (1, 2), [9, 1])}})
print(answers["label"].values(), ort.find().startswith({str(folder)!r}), "numpy" in sys.modules)
"""
    process = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert (process.stdout, process.stderr) == ("(1,) True False\n", "")


def test_an_interpreter_that_looks_into_the_archive_begins_with_the_library(
    predict: bundle.Archive, tmp_path: Path
) -> None:
    with zipfile.ZipFile(predict.path) as archive:
        archive.extractall(tmp_path)
    code = (
        "import sys; print('functions.core.onnx.library' in sys.modules, 'functions.core.api.service' in sys.modules)"
    )
    searched = PYTHONPATH.replace("/var/task", str(tmp_path))
    command = [sys.executable, "-c", code]
    process = subprocess.run(
        command, cwd="/", env={"PYTHONPATH": searched}, capture_output=True, text=True, check=False
    )
    assert (process.stdout, process.stderr) == ("True False\n", "")


def test_a_function_that_opens_no_model_begins_with_nothing(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(aws.CLOUD.packing.files["sitecustomize.py"], encoding="utf-8")
    command = [sys.executable, "-c", "import sys; print('sitecustomize' in sys.modules)"]
    process = subprocess.run(
        command, cwd="/", env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (process.stdout, process.stderr) == ("True\n", "")


@every_cloud
def test_nothing_is_built_for_a_cloud_that_can_only_be_previewed(cloud: Cloud, tmp_path: Path) -> None:
    preview = replace(cloud, tier=Tier.PREVIEW)
    unwritten = replace(named("jobs"), name="unwritten", entry="functions.entries.unwritten:unwritten")
    built = bundle.archives([named("predict"), unwritten], cloud=preview, platform=HERE, models=[], cache=tmp_path)
    assert set(built) == {"predict", "unwritten"}
    for archive in built.values():
        assert archive.stand_in
        with zipfile.ZipFile(archive.path) as empty:
            assert empty.namelist() == []
