"""A model that the demonstration is to show: its sample, or the sentence that says why there is none."""

from __future__ import annotations

from pathlib import Path

import pulumi
import pytest

from localcloud.commands import demo_example
from localcloud.commands.demo_example import FEWEST, HELD_OUT, Example

CONTRACT = """
name: rents
task: regression
features: [{name: rooms, kind: integer}, {name: floor, kind: category, categories: ["1", "2"]}]
ignore: [street]
target: {name: rent}
search: {metric: mae, families: [{alpha: [1.0]}]}
gate: {metric: mae, maximum: 9}
"""
HEADER = "street,rooms,floor,rent"
WRITES = "import sys\nopen(sys.argv[1], 'w').write({!r})\n"


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of models of a project of its own, with one that has no sample."""
    folder = tmp_path / "models"
    (folder / "rents").mkdir(parents=True)
    (folder / "rents" / "model.yaml").write_text(CONTRACT, encoding="utf-8")
    monkeypatch.setattr(demo_example, "FOLDER", folder)
    monkeypatch.setattr(demo_example, "ROOT", tmp_path)
    return folder


def named(models: Path, sample: str) -> Example:
    (models / "rents" / "sample.py").write_text(sample, encoding="utf-8")
    return demo_example.named("rents")


@pytest.mark.integration
def test_a_models_sample_is_read_by_its_contract_and_shuffled(models: Path) -> None:
    lines = [f"High Street,{row},{1 + row % 2},{row * 10}" for row in range(FEWEST)]
    example = named(models, WRITES.format("\n".join([HEADER, *lines, ""])))
    assert example.truths != sorted(example.truths)
    assert sorted(example.truths) == [row * 10 for row in range(FEWEST)]
    for line, case, truth in zip(example.lines, example.cases, example.truths, strict=True):
        assert ",".join(map(str, line)) in lines
        assert case == {"rooms": int(truth) // 10, "floor": line[2]}
        assert type(case["rooms"]) is int
    assert 0 < example.first_rows < len(example.cases) - HELD_OUT
    example.write(models / "some.csv", 2)
    assert (models / "some.csv").read_text(encoding="utf-8").splitlines()[0] == HEADER


@pytest.mark.integration
@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ("raise ValueError('no data here')", "models.rents.sample FILE` failed:(.|\n)*ValueError: no data here"),
        ("", "models.rents.sample FILE` failed:(.|\n)*it wrote no file"),
        (WRITES.format(f"{HEADER}\na,3,1,10\na,3,7,10\n"), "line 3: floor is not one of 1, 2"),
        (WRITES.format("rooms,rent\n1,2\n"), "lacks columns of the model: floor"),
        (WRITES.format(f"{HEADER}\na,3,1,10\n"), "writes 1 rows; the demonstration needs 100 or more"),
    ],
)
def test_a_sample_that_does_not_serve_is_refused_with_a_sentence(models: Path, sample: str, said: str) -> None:
    with pytest.raises(pulumi.RunError, match=said):
        named(models, sample)


def test_a_model_that_cannot_be_shown_is_refused_with_those_that_can(models: Path) -> None:
    for model, said in [
        ("rent", "MODEL=rent: there is no models/rent; those with a sample: none"),
        ("rents", "has no sample.py, which writes a table to train on; .* `.venv/bin/sml upload rents FILE --wait`"),
    ]:
        with pytest.raises(pulumi.RunError, match=said):
            demo_example.named(model)
    assert models.is_dir()


def test_a_finished_model_is_refused_as_it_is_not_trained() -> None:
    with pytest.raises(pulumi.RunError, match=r"is a finished model.*: breast_cancer, diabetes, digits$"):
        demo_example.named("file_type")
