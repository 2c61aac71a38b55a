"""What a model.yaml may hold, and the sentence for each mistake in it: file, line, key, and what is accepted."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from models.bring_your_own import BringYourOwn
from models.catalogue import load
from models.complaint import MOST
from models.contract import Contract
from models.document import LARGEST, Document
from models.section import ContractError

TRAINED = """\
name: toy
task: classification
features:
  - {name: a, minimum: 0}
  - {name: b, kind: category, categories: [x, z]}
target:
  name: y
  classes: ["no", "yes"]
search:
  families: [{C: [0.1, 1.0]}]
gate:
  minimum: 0.9
"""
FINISHED = """\
name: toy
task: finished
scores:
  output: s
  classes: [a, b]
gate:
  tolerance: 0.01
"""
PYDANTIC = re.compile(r"Input should|Field required|Tuple|validation|Value error|valid (string|array|number)|literal\[")


def refusal(folder: Path, text: str) -> list[str]:
    """Return the lines by which models/toy/model.yaml is refused, without the file's name."""
    (folder / "toy").mkdir(exist_ok=True)
    (folder / "toy" / "model.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ContractError) as refused:
        load("toy", folder)
    lines = str(refused.value).splitlines()
    where = f"{folder.name}/toy/model.yaml: "
    assert all(line.startswith(where) for line in lines), lines
    assert not PYDANTIC.search(str(refused.value)), lines
    return [line.removeprefix(where) for line in lines]


def test_the_files_that_the_mistakes_are_made_in_are_right() -> None:
    assert isinstance(Contract.check(Document.read(TRAINED.encode(), "")), Contract)
    assert isinstance(BringYourOwn.check(Document.read(FINISHED.encode(), "")), BringYourOwn)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        # Each key once.
        ("  minimum: 0.9", "  minimum: 0.9\ngate: {minimum: 0.1}", "line 13: gate: stands twice, first in line 11;"),
        ("minimum: 0}", "minimum: 0, minimum: 10}", "line 4: features[0].minimum: stands twice; accepted: each key"),
        # What a file does not need.
        ("[0.1, 1.0]", "&c [0.1, 1.0]", "line 10: &c: aliases and anchors are not read"),
        ("  minimum: 0.9", "  minimum: *c", "line 12: *c: aliases and anchors are not read"),
        ("name: toy", "name: !!str toy", "line 1: the tag !!str is not read; write the value plainly"),
        ("name: toy", "name: !!python/name:os.system toy", "line 1: the tag !!python/name:os.system is not read"),
        ("gate:\n", "gate:\n  <<: {margin: 1}\n", "line 12: gate.<<: there is no such key"),
        ("  minimum: 0.9", "  minimum: 0.9\n---\nname: b", "line 13: is not YAML: but found another document"),
        ("gate:\n", "? [1]\n: 2\ngate:\n", "line 11: a key is a list or a mapping; accepted: a word"),
        ("gate:\n", "gate:\n\tx: 1\n", "line 12: is not YAML: found character '\\t'"),
        ("name: toy", "name: 'toy", "line 13: is not YAML: found unexpected end of stream"),
        ("name: toy", "name: to\x07y", "line 1: is not YAML: it holds a character that cannot be printed"),
        # Words that are no texts to YAML, where a text would be no better.
        ("gate:\n", "weights: {classes: 5}\ngate:\n", "line 11: weights.classes: is 5; accepted: balanced, or a"),
        (
            "gate:\n",
            "rollout: {without_evidence: yes}\ngate:\n",
            "line 11: rollout.without_evidence: is true; accepted: promote, roll_back",
        ),
        # Words that are no texts to YAML.
        ('["no", "yes"]', "[no, yes]", 'line 8: target.classes[0]: no is false to YAML; write "no" in quotes'),
        ('["no", "yes"]', "[a, on]", 'line 8: target.classes[1]: on is true to YAML; write "on" in quotes'),
        ('["no", "yes"]', "[1, 2]", 'line 8: target.classes[0]: 1 is the number 1 to YAML; write "1" in quotes'),
        ('["no", "yes"]', "[a, 2024-05-01]", "line 8: target.classes[1]: 2024-05-01 is a date to YAML; write"),
        ('["no", "yes"]', "[a, 1:30]", 'line 8: target.classes[1]: 1:30 is the number 90 to YAML; write "1:30" in'),
        ('["no", "yes"]', "[a, null]", "line 8: target.classes[1]: is empty; accepted: a text"),
        ('["no", "yes"]', "[a, 2024-99-99]", 'line 8: 2024-99-99 cannot be read; write "2024-99-99" in quotes'),
        ("name: y", "name: 2024-05-01", 'line 7: target.name: 2024-05-01 is a date to YAML; write "2024-05-01"'),
        ("[x, z]", "[x, 010]", 'line 5: features[1].categories[1]: 010 is the number 8 to YAML; write "010"'),
        ("{C: [0.1, 1.0]}", "{C: [yes]}", "line 10: search.families[0].C[0]: yes is true to YAML; write true, or"),
        ("{C: [0.1, 1.0]}", "{C: [1:30]}", "line 10: search.families[0].C[0]: 1:30 is the number 90 to YAML; write"),
        ("{C: [0.1, 1.0]}", "{off: [1]}", 'line 10: the key off is false to YAML; write "off" in quotes'),
        ("minimum: 0}", "minimum: 0, missing: on}", "line 4: features[0].missing: on is true to YAML; write"),
        ("minimum: 0.9", "minimum: 1:30", "line 12: gate.minimum: 1:30 is the number 90 to YAML; write"),
        # Of another type, missing, strange, out of range, too few.
        ("minimum: 0}", "minimum: '0'}", 'line 4: features[0].minimum: is the text "0"; write the number 0, without'),
        ("minimum: 0.9", "minimum: 1e-7", 'line 12: gate.minimum: is the text "1e-7"; write the number 1.0e-07,'),
        ("minimum: 0.9", "minimum: high", 'line 12: gate.minimum: is the text "high"; accepted: a number'),
        ("minimum: 0.9", "minimum: .inf", "line 12: gate.minimum: is Infinity; accepted: a number"),
        ("minimum: 0.9", "minimum: true", "line 12: gate.minimum: is true; accepted: a number"),
        ("minimum: 0.9", "minimum: [0.9]", "line 12: gate.minimum: is a list of 1; accepted: a number"),
        ("minimum: 0.9", "", "line 11: gate: is empty; accepted: a mapping with metric, at, minimum, maximum, i"),
        ("  minimum: 0.9", "  margin: 0.9", "line 11: gate.minimum: is missing; accepted: a number"),
        ("  minimum: 0.9", "  minimum: 0.9\n  minmum: 1", "line 13: gate.minmum: there is no such key; did you mean"),
        ("  minimum: 0.9", "  minimum: 0.9\n  folds: 3", "line 13: gate.folds: there is no such key; did you mean sea"),
        ("  minimum: 0.9", "  minimum: 0.9\n  zeal: 3", "line 13: gate.zeal: there is no such key; accepted here: "),
        ("- {name: a,", "- {nmae: a,", "line 4: features[0].name: is missing; accepted: a text"),
        ("- {name: a,", "- {name: a, kind: numbr,", 'line 4: features[0].kind: is the text "numbr"; accepted:'),
        ("families:", "folds: 1\n  families:", "line 10: search.folds: is 1; accepted: a whole number from 2 to 20"),
        ("families:", "folds: 2.5\n  families:", "line 10: search.folds: is 2.5; accepted: a whole number from 2 to"),
        ("families:", "holdout: 0.9\n  families:", "line 10: search.holdout: is 0.9; accepted: a number, above 0 and"),
        ("[{C: [0.1, 1.0]}]", "[]", "line 10: search.families: is an empty list; accepted: a list, one or more, each"),
        ("[{C: [0.1, 1.0]}]", "{C: [1]}", "line 10: search.families: is a mapping; accepted: a list, one or more"),
        ("C: [0.1, 1.0]", "C: 0.1", "line 10: search.families[0].C: is 0.1; accepted: a list, one or more, each"),
        ("C: [0.1, 1.0]", "C: [{}]", "line 10: search.families[0].C[0]: is an empty mapping; accepted: a finite"),
        ("C: [0.1, 1.0]", "C: [1e-3]", "line 10: search.families[0].C[0]: 1e-3 is text to YAML; write a number with a"),
        ('["no", "yes"]', "[a]", "line 8: target.classes: is a list of 1; accepted: a list, two or more, each a text"),
        ('["no", "yes"]', "a", 'line 8: target.classes: is the text "a"; accepted: a list, two or more, each a text'),
        ('["no", "yes"]', "[a, a]", "line 8: target.classes: a class stands twice"),
        ("name: toy", "name: Toy", 'line 1: name: is the text "Toy"; accepted: the folder\'s name: a small letter'),
        ("name: toy", "name: other", "line 1: name: is other, but the folder is toy; they must be equal"),
        ("task: classification", "task: clustering", "line 2: task: is clustering; accepted: classification, regr"),
        ("task: classification\n", "", "task: is missing; accepted: classification, regression, forecasting (with a"),
        # What belongs together.
        ("- {name: b,", "- {name: a,", "line 5: features: a stands twice"),
        ("name: y", "name: a", "line 7: target: a is a feature too"),
        ("minimum: 0}", "minimum: 0, maximum: -1}", "line 4: features.a: minimum and maximum are finite"),
        ("[x, z]}", "[x, z], missing: w}", "line 5: features.b.missing: is not one of x, z"),
        ("families:", "trials: 3\n  families:", "line 10: search.trials: goes with method: random or halving"),
        ("  minimum: 0.9", "  minimum: 0.9\n  slices:\n    - {feature: c, at_least: 1}", "line 14: gate.slices.c:"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_file_line_and_key(before: str, after: str, told: str, tmp_path: Path) -> None:
    assert TRAINED.count(before) >= 1
    found = refusal(tmp_path, TRAINED.replace(before, after, 1))
    assert found[0].startswith(told) or any(line.startswith(told) for line in found), found


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("[a, b]", "[on, off]", 'line 5: scores.classes[0]: on is true to YAML; write "on" in quotes'),
        ("[a, b]", "[a, a]", "line 5: scores.classes: a class stands twice"),
        ("[a, b]", "[a]", "line 5: scores.classes: is a list of 1; accepted: a list, two or more, each a text"),
        ("  output: s\n", "", "line 3: scores.output: is missing; accepted: a text"),
        ("  output: s", "  outputs: s", "line 4: scores.outputs: there is no such key; did you mean output?"),
        ("tolerance: 0.01", "tolerance: 1", "line 7: gate.tolerance: is 1; accepted: a number, above 0 and below 1"),
        ("tolerance: 0.01", "maximum_bytes: 0", "line 7: gate.maximum_bytes: is 0; accepted: a whole number from 1 to"),
        ("tolerance: 0.01", "tolerence: 0.1", "line 7: gate.tolerence: there is no such key; did you mean tolerance?"),
        ("gate:", "features: []\ngate:", "line 6: features: there is no such key; accepted here: name, description"),
    ],
)
def test_a_mistake_in_a_finished_model_is_told_by_file_line_and_key(
    before: str, after: str, told: str, tmp_path: Path
) -> None:
    found = refusal(tmp_path, FINISHED.replace(before, after, 1))
    assert any(line.startswith(told) for line in found), found


def test_several_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    wrong = TRAINED.replace("minimum: 0.9", "minimum: high").replace("name: toy", "name: 5").replace("[x, z]", "[1, z]")
    lines = [int(line.split(":")[0].removeprefix("line ")) for line in refusal(tmp_path, wrong)]
    assert lines == [1, 5, 12]


def test_of_the_mistakes_in_one_list_the_first_is_told(tmp_path: Path) -> None:
    assert refusal(tmp_path, FINISHED.replace("[a, b]", "[0, 1, c, 3]")) == [
        'line 5: scores.classes[0]: 0 is the number 0 to YAML; write "0" in quotes (and 2 more of scores.classes)'
    ]


def test_of_very_many_mistakes_the_first_are_told(tmp_path: Path) -> None:
    features = "".join(f"  - {{name: f{at}, minimm: 0}}\n" for at in range(1000))
    told = refusal(tmp_path, f"name: toy\ntask: classification\nfeatures:\n{features}")
    assert len(told) == MOST + 1
    assert told[3] == "line 4: features[0].minimm: there is no such key; did you mean minimum?"
    assert told[-1] == "and 983 more mistakes"


def test_a_bomb_of_aliases_is_refused_before_it_is_unfolded(tmp_path: Path) -> None:
    bomb = dedent("""\
        a: &a [x, x, x, x, x, x, x, x, x]
        b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
        c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
        """)
    assert refusal(tmp_path, bomb) == ["line 1: &a: aliases and anchors are not read; write the value where it belongs"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_a_file_that_is_nested_too_deep_is_refused(opening: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, opening * 50_000) == ["line 1: is nested deeper than 20 levels"]


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    assert refusal(tmp_path, "#" * (LARGEST + 1)) == [f"has {LARGEST + 1:,} bytes; accepted: at most {LARGEST:,}"]


def test_a_file_that_is_not_utf_8_is_refused_with_the_line() -> None:
    with pytest.raises(yaml.YAMLError, match=r"^line 2: is not UTF-8; save the file as UTF-8$"):
        Document.read("a: b\nname: größe".encode("cp1252"), "")


@pytest.mark.parametrize("text", ["", "hello", "[]", "- a\n- b", "5"])
def test_a_file_without_keys_is_refused(text: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, text) == [
        "task: is missing; accepted: classification, regression, forecasting (with a training.py in the folder), or"
        " finished (with a model.onnx)"
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1_000", 1000), ("a: 0.5", 0.5), ("a: -3", -3), ("a: true", True), ("a: False", False), ("a: ~", None),
        ("a: 'no'", "no"), ('a: "1"', "1"), ("a: none", "none"), ("a: y", "y"), ("a: =", "="), ("a: 1e3", "1e3"),
        ("a: >-\n  x\n  y", "x y"), ("\ufeffa: b", "b"), ("a: ü # said", "ü"), ("a: 1.5e+3", 1500.0),
    ],
)  # fmt: skip
def test_what_looks_like_what_it_is_is_read(text: str, value: object) -> None:
    document = Document.read(text.encode(), "")
    assert document.value == {"a": value}
    assert not any(plain.surprising for plain in document.plain.values())


PIECES = (
    *"abn:-[]{},&*!|>'\"#%@`?=~ \n\t0123456789._+\x85\u2028\ufeffü",
    *("name: toy\n", "task: ", "classification\n", "features:\n", "  - ", "{name: a}", "target: ", "classes: ["),
    *("yes", "no", "1:30", "2024-01-01", "null", ".inf", "0x1F", "<<: ", "---\n", "...\n", "!!int ", "1e5"),
)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join) | st.text(max_size=60)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def told(data: bytes | Any, kind: type[Contract] | type[BringYourOwn]) -> str:
    """Return why a file, or what it holds, is no contract; "" where it is one."""
    try:
        kind.check(Document.read(data, "f") if isinstance(data, bytes) else Document(where="f", value=data))
    except (yaml.YAMLError, ContractError) as problem:
        return str(problem)
    return ""


@settings(deadline=None)
@given(TEXTS, st.sampled_from([Contract, BringYourOwn]))
def test_any_file_ends_in_a_contract_or_in_sentences(text: str, kind: type[Contract] | type[BringYourOwn]) -> None:
    assert not PYDANTIC.search(told(text.encode("utf-8", "surrogatepass"), kind))


@settings(deadline=None)
@given(st.data())
def test_any_value_in_place_of_another_is_told_without_words_of_the_library(data: st.DataObject) -> None:
    whole = yaml.safe_load(data.draw(st.sampled_from([TRAINED, FINISHED])))
    holder: Any = whole
    while True:
        key = data.draw(st.sampled_from(list(holder) if isinstance(holder, dict) else list(range(len(holder)))))
        if not holder[key] or not isinstance(holder[key], dict | list) or data.draw(st.booleans()):
            holder[key] = data.draw(VALUES)
            break
        holder = holder[key]
    sentence = told(whole, BringYourOwn if "scores" in whole else Contract)
    assert not PYDANTIC.search(sentence)
    assert sentence.startswith("f: ") or not sentence
