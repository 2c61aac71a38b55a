"""The lock of a model's own packages: written by one command, and refused where it is not what that wrote."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from pathlib import Path

import pulumi
import pytest

from infra import model_lock, model_locking
from infra.model_lock import LOCKED, entries, require, sealed, together
from tests.root import ROOT

HASH = f"--hash=sha256:{'0' * 64}"
SHARED = f"numpy==2.4.6 \\\n    {HASH}\n# modules: numpy\n"
FRAMEWORK = f"flask==3.1.3 \\\n    {HASH}\nnumpy==2.4.5 \\\n    {HASH}\n# modules: flask numpy\n"
BODY = f"lightgbm==4.7.0 \\\n    {HASH}\n{SHARED.partition('#')[0]}# modules: lightgbm numpy\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with the locks of training, and a model with a lock of its own."""
    files = {
        "functions/requirements/train.in": "numpy==2.4.6\n",
        "functions/requirements/train.txt": SHARED,
        "functions/requirements/gcp/train.txt": FRAMEWORK,
        "models/churn/model.yaml": "name: churn\n",
        "models/churn/requirements.in": "lightgbm==4.7.0  # trees\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    write(tmp_path, BODY)
    return tmp_path


def write(root: Path, body: str) -> None:
    folder = root / "models" / "churn"
    (folder / LOCKED).write_text(sealed(body, folder, root), encoding="utf-8")


def refused(root: Path) -> str:
    with pytest.raises(pulumi.RunError) as problem:
        require("churn", root)
    assert "\n" not in str(problem.value)
    return str(problem.value)


def test_a_lock_as_it_was_written_is_accepted(root: Path) -> None:
    require("churn", root)


def test_a_lock_is_the_same_with_the_ends_of_lines_of_windows(root: Path) -> None:
    for file in (root / "models" / "churn").glob("requirements.*"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    require("churn", root)


def test_a_model_without_packages_of_its_own_needs_no_lock(root: Path) -> None:
    for file in (root / "models" / "churn").glob("requirements.*"):
        file.unlink()
    require("churn", root)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (
            "models/churn/requirements.txt",
            None,
            "is missing beside requirements.in; `.venv/bin/sml lock churn` writes it",
        ),
        (
            "models/churn/requirements.txt",
            "lightgbm==4.7.0\n",
            "was not written by `sml lock`, and lightgbm has no hash;",
        ),
        (
            "models/churn/requirements.txt",
            SHARED,
            "was not written by `sml lock`; `.venv/bin/sml lock churn` writes it",
        ),
        ("models/churn/requirements.in", "lightgbm==4.6.0\n", "is older than requirements.in, or than the locks in"),
        (
            "functions/requirements/train.txt",
            SHARED.replace("2.4.6", "2.4.7"),
            "is older than requirements.in, or than",
        ),
        ("functions/requirements/gcp/train.txt", SHARED, "is older than requirements.in, or than the locks in"),
        ("models/churn/requirements.in", None, "nothing is installed from it without models/churn/requirements.in"),
    ],
    ids=["missing", "no hash", "of another tool", "other packages", "other training", "other cloud", "no requirements"],
)
def test_any_other_lock_is_refused_in_a_sentence(root: Path, name: str, text: str | None, sentence: str) -> None:
    if text is None:
        (root / name).unlink()
    else:
        (root / name).write_text(text, encoding="utf-8")
    assert refused(root).startswith(f"models/churn/requirements.txt: {sentence}")


def test_a_lock_that_was_edited_is_refused(root: Path) -> None:
    lock = root / "models" / "churn" / LOCKED
    lock.write_text(lock.read_text(encoding="utf-8").replace("4.7.0", "4.6.9"), encoding="utf-8")
    assert "was edited by hand; `.venv/bin/sml lock churn` writes it" in refused(root)


@pytest.mark.parametrize(
    "line",
    [
        "-r ../other.in",
        "--index-url https://user:secret@host",
        "x @ https://user:secret@host/x.whl",
        "./here",
        "/there",
    ],
)
def test_a_line_that_is_no_requirement_is_refused_without_what_it_holds(root: Path, line: str) -> None:
    (root / "models" / "churn" / "requirements.in").write_text(f"# ours\n\nlightgbm\n{line}\n", encoding="utf-8")
    sentence = refused(root)
    assert sentence.startswith("models/churn/requirements.in:4: ")
    assert "secret" not in sentence


def test_where_a_cloud_builds_its_framework_joins_the_lock_and_the_models_own_versions_stay(root: Path) -> None:
    text = together(root / "models/churn/requirements.txt", root / "functions/requirements/gcp/train.txt").decode()
    assert list(entries(text)) == ["flask", "lightgbm", "numpy"]
    assert "numpy==2.4.6" in text
    assert "numpy==2.4.5" not in text
    assert text.splitlines()[-1] == "# modules: flask lightgbm numpy"
    assert model_lock.SEAL not in text


def test_a_lock_is_held_to_the_versions_of_training_and_of_the_framework(root: Path) -> None:
    assert {entry.split()[0] for entry in entries(model_lock.held_to(root)).values()} == {
        "numpy==2.4.6",
        "flask==3.1.3",
    }


@pytest.mark.parametrize("recipe", sorted(path.parent.name for path in ROOT.glob("examples/recipes/*/requirements.in")))
def test_the_locks_of_the_recipes_are_what_the_command_wrote(recipe: str) -> None:
    folder = ROOT / "examples" / "recipes" / recipe
    lock = (folder / LOCKED).read_text(encoding="utf-8")
    body = lock.rpartition(model_lock.SEAL)[0]
    assert sealed(body, folder) == lock, f".venv/bin/sml lock examples/recipes/{recipe}"


# Writing ----------------------------------------------------------------------------------------


@pytest.fixture
def shelf(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of a few wheels in place of the public one: what training needs, and packages that a model may bring."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name, version, module, needs in (
        ("base", "1", "base", ""),
        ("trees", "2", "trees", "base"),
        ("greedy", "1", "greedy", "base>=2"),
        ("rude", "1", "functions", ""),
    ):
        _wheel(wheels, name, version, module, needs)
    (root / "functions/requirements/train.in").write_text("base==1\n", encoding="utf-8")
    digest = hashlib.sha256((wheels / "base" / "base-1-py3-none-any.whl").read_bytes()).hexdigest()
    lock = f"base==1 \\\n    --hash=sha256:{digest}\n# modules: base\n"
    (root / "functions/requirements/train.txt").write_text(lock, encoding="utf-8")
    (root / "functions/requirements/gcp/train.txt").write_text(lock, encoding="utf-8")
    monkeypatch.setenv("UV_DEFAULT_INDEX", wheels.as_uri())
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return root


def _wheel(folder: Path, name: str, version: str, module: str, needs: str) -> None:
    meta = f"{name}-{version}.dist-info"
    required = f"Requires-Dist: {needs}\n" if needs else ""
    files = {
        f"{module}/__init__.py": "",
        f"{meta}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}",
        f"{meta}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},"
        f"{len(text)}\n"
        for path, text in files.items()
    )
    file = folder / name / f"{name}-{version}-py3-none-any.whl"
    file.parent.mkdir()
    (file.parent / "index.html").write_text(f'<a href="{file.name}">{file.name}</a>', encoding="utf-8")
    with zipfile.ZipFile(file, "w") as wheel:
        for path, text in {**files, f"{meta}/RECORD": f"{record}{meta}/RECORD,,\n"}.items():
            wheel.writestr(path, text)


def locked(root: Path, capsys: pytest.CaptureFixture[str], requirements: str) -> tuple[int, str]:
    (root / "models" / "churn" / "requirements.in").write_text(requirements, encoding="utf-8")
    code = model_locking.main(["churn"], root)
    said = capsys.readouterr()
    return code, (said.out + said.err).strip()


@pytest.mark.integration
def test_the_command_writes_a_complete_lock_that_is_accepted(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert locked(shelf, capsys, "trees\n") == (
        0,
        "models/churn/requirements.txt: 2 packages, of which every training has 1",
    )
    require("churn", shelf)
    text = model_lock.path("churn", shelf).read_text(encoding="utf-8")
    assert list(entries(text)) == ["base", "trees"]
    assert "# modules: base trees\n" in text


@pytest.mark.integration
@pytest.mark.parametrize(
    ("requirements", "sentence"),
    [
        ("nothing_is_called_so==1", "cannot be resolved: Because nothing-is-called-so was not found in the"),
        ("base==2", "(functions/requirements has base==1, which stays)"),
        ("greedy", "(functions/requirements has base==1, which stays)"),
        ("rude", "rude brings a module called functions, which this project has; accepted: a package that does not"),
    ],
    ids=["unknown", "another version", "of another package", "shadows"],
)
def test_what_cannot_be_locked_is_told_in_a_sentence_and_the_lock_stays(
    shelf: Path, capsys: pytest.CaptureFixture[str], requirements: str, sentence: str
) -> None:
    before = model_lock.path("churn", shelf).read_bytes()
    code, said = locked(shelf, capsys, requirements)
    assert code == 1
    assert said.startswith("sml: models/churn/requirements.in: ")
    assert sentence in said
    assert "\n" not in said
    assert model_lock.path("churn", shelf).read_bytes() == before


@pytest.mark.integration
def test_a_lock_that_was_edited_is_written_anew(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model_lock.path("churn", shelf).write_text("trees==1 --hash=sha256:0\n", encoding="utf-8")
    assert locked(shelf, capsys, "trees\n")[0] == 0
    require("churn", shelf)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("nobody", "sml: nobody is no model; models here: churn"),
        ("churn", "models/churn/requirements.in does not exist"),
    ],
)
def test_a_model_that_has_nothing_to_lock_is_told(
    root: Path, capsys: pytest.CaptureFixture[str], model: str, sentence: str
) -> None:
    (root / "models" / "churn" / "requirements.in").unlink()
    assert model_locking.main([model], root) == 1
    assert sentence in capsys.readouterr().err
