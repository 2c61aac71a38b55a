from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.contract import Contract
from sml.init.report import report
from sml.mistake import Mistake
from tests.sml.init.tables import churn, made, penguins

STACK = """\
# The same program on this machine.
config:
  serverless-ml:settings:
    cloud: aws
    models: [breast_cancer, file_type]  # two of them
    protect: false
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for stack in ("local", "gcp-local", "prod"):
        (tmp_path / f"Pulumi.{stack}.yaml").write_text(STACK, encoding="utf-8")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "contract.py").touch()
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_models_that_are_made_at_once_are_all_named(root: Path) -> None:
    table = root / "own.csv"
    table.write_bytes(penguins())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: made(b"", root, model=f"trial{number}", table=table), range(4)))
    for name in ("Pulumi.local.yaml", "Pulumi.gcp-local.yaml"):
        text = (root / name).read_text(encoding="utf-8")
        assert all(f"trial{number}" in text for number in range(4))


def test_a_folder_is_written_and_two_stacks_name_it(root: Path) -> None:
    before = content(root)
    found = made(penguins(), root)
    changed = {name for name, data in content(root).items() if before.get(name) != data} - {".local/stacks.lock"}
    assert changed == {"data.csv", "Pulumi.local.yaml", "Pulumi.gcp-local.yaml", *found.files}
    assert [path.name for path in (root / "models").iterdir() if path.is_dir()] == ["trial"]
    line = "    models: [breast_cancer, file_type, trial]  # two of them"
    for name in found.changed:
        lines = (root / name).read_text(encoding="utf-8").splitlines()
        assert [after for was, after in zip(STACK.splitlines(), lines, strict=True) if was != after] == [line]
    contract = Contract.load("trial", root / "models")
    assert contract.target.name == "species"
    assert contract.id == ("rowid",)


def test_the_same_table_gives_the_same_files(root: Path) -> None:
    made(penguins(), root)
    before = content(root)
    made(penguins(), root, force=True)
    assert content(root) == before


def test_nothing_is_written_by_a_dry_run_or_after_a_mistake(root: Path) -> None:
    (root / "data.csv").write_bytes(penguins())
    before = content(root)
    found = made(penguins(), root, dry_run=True, stacks=("prod",))
    assert found.changed == ("Pulumi.prod.yaml",)
    for wish in ({"target": "nowhere"}, {"stacks": ("nowhere",)}, {"model": "Trial"}):
        with pytest.raises(Mistake):
            made(penguins(), root, **wish)
    assert content(root) == before


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Trial", "the folder's name: a small letter, and at most 47 small letters, digits and _"),
        ("../trial", "the folder's name: a small letter"),
        ("contract", "models/contract.py is a module of this project; take another name"),
        ("trial", "models/trial exists already; take another name, or overwrite its files with --force"),
    ],
)
def test_a_name_that_cannot_be_taken_is_refused(name: str, sentence: str, root: Path) -> None:
    (root / "models" / "trial").mkdir()
    (root / "models" / "trial" / "notes.md").touch()
    with pytest.raises(Mistake) as told:
        made(penguins(), root, model=name)
    assert sentence in str(told.value)


def test_force_overwrites_its_own_files_and_leaves_others(root: Path) -> None:
    (root / "models" / "trial").mkdir()
    (root / "models" / "trial" / "helper.py").write_text("A = 1", encoding="utf-8")
    made(penguins(), root, force=True)
    assert (root / "models" / "trial" / "helper.py").read_text(encoding="utf-8") == "A = 1"
    assert Contract.load("trial", root / "models")


def test_a_write_that_fails_leaves_no_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(Mistake, match="models/trial: cannot be written: No space left on device"):
        made(penguins(), root)
    assert [path.name for path in (root / "models").iterdir()] == ["contract.py"]
    assert (root / "Pulumi.local.yaml").read_text(encoding="utf-8") == STACK


def test_the_report_says_what_was_found_and_what_to_type(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SML_TYPED", raising=False)
    report(made(churn(leak=True), root), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "trial from data.csv, 240 rows"
    assert lines[1].split() == ["column", "becomes", "why"]
    assert any(line.split()[:2] == ["customerID", "id"] for line in lines)
    assert any(line.startswith("look at: refunded may be a leak") for line in lines)
    assert "named it in Pulumi.local.yaml, Pulumi.gcp-local.yaml" in lines
    assert lines[-3] == f"  sml upload trial {root}/data.csv --wait"
    assert lines[-2] == f"  sml predict trial {root}/data.csv --limit 3"
    assert lines[-1].startswith("  sml predict trial '{")
