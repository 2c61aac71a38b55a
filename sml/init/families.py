"""The families of estimators that a proposal has its search try: those of every model, and those that bring packages.

Each has a small grid and a reason, and the line of `training.py` that makes its estimator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Value = int | float
Grid = dict[str, tuple[Value, ...]]

MANY_ROWS = 50_000
MANY_CLASSES = 20
"""Boosting has trees for each class, and a forest's leaves a number for each: beyond this they are kept small, so that
the file stays below the gate's bytes."""
CONVERTS = ("onnxmltools==1.16.0", "packaging")
"""What converts the estimators of others to ONNX: onnxmltools imports packaging, which it does not name."""
REQUIREMENTS = "# What the training needs besides what every training has; `sml lock` writes the lock of it.\n"


@dataclass(frozen=True, kw_only=True)
class Size:
    """What a grid follows from."""

    rows: int
    classes: int
    """0 where a number is predicted."""


@dataclass(frozen=True, kw_only=True)
class Family:
    """Trees of one kind. `module` has a class for each task, `<estimator>Classifier` and `<estimator>Regressor`."""

    name: str
    why: str
    module: str
    estimator: str
    fixed: str
    """The arguments that no experiment varies."""
    grid: Callable[[Size], Grid]
    note: str = ""
    """A comment for whoever reads `training.py`."""
    packages: tuple[str, ...] = ()
    """The lines of requirements.in that it needs."""

    def line(self, size: Size) -> str:
        """Return the family as `model.yaml` has it."""
        return _line(self.name, self.grid(size))


def linear(size: Size) -> str:
    """Return the family of linear models as `model.yaml` has it."""
    return _line("logistic", {"C": (0.1, 1.0, 10.0)}) if size.classes else _line("ridge", {"alpha": (0.1, 1.0, 10.0)})


def _leaves(size: Size) -> tuple[int, ...]:
    if size.classes > MANY_CLASSES:
        return (7,)
    return (7, 31) if size.rows <= MANY_ROWS else (31,)


def _forest(size: Size) -> Grid:
    grid: Grid = {"n_estimators": (60,), "max_leaf_nodes": (16, 64) if size.classes <= MANY_CLASSES else (16,)}
    return grid if size.rows <= MANY_ROWS else {**grid, "max_samples": (round(MANY_ROWS / size.rows, 3),)}


def _depths(size: Size) -> tuple[int, ...]:
    return (2, 4) if size.classes <= MANY_CLASSES else (2,)


STANDARD = (
    Family(
        name="random_forest",
        why="many trees side by side: hard to fit too closely; few leaves keep the file small",
        module="sklearn.ensemble",
        estimator="RandomForest",
        fixed='max_features="sqrt", random_state=0',
        grid=_forest,
    ),
    Family(
        name="boosting",
        why="trees one after the other, on histograms: find what depends on several columns",
        module="sklearn.ensemble",
        estimator="HistGradientBoosting",
        fixed="min_samples_leaf=5, early_stopping=False, random_state=0",
        grid=lambda size: {"max_iter": (60,), "learning_rate": (0.1,), "max_leaf_nodes": _leaves(size)},
    ),
)
"""Of scikit-learn, with which every training is installed."""
OFFERED = (
    Family(
        name="lightgbm",
        why="boosting by LightGBM, which requirements.in brings",
        module="lightgbm",
        estimator="LGBM",
        fixed="min_child_samples=5, random_state=0, n_jobs=1, verbose=-1",
        grid=lambda size: {"n_estimators": (60,), "learning_rate": (0.1,), "num_leaves": _leaves(size)},
        note="One thread: another number of them adds up in another order, and so fits another model.",
        packages=("lightgbm==4.7.0", *CONVERTS),
    ),
    Family(
        name="xgboost",
        why="boosting by XGBoost, which requirements.in brings",
        module="xgboost",
        estimator="XGB",
        fixed="random_state=0, n_jobs=1",
        grid=lambda size: {"n_estimators": (60,), "learning_rate": (0.1,), "max_depth": _depths(size)},
        note="One thread: another number of them adds up in another order, and so fits another model.",
        packages=("xgboost-cpu==3.2.0", *CONVERTS),
    ),
)
"""Those that `--with` adds."""


def chosen(names: Sequence[str]) -> tuple[Family, ...]:
    """Return the families of a proposal: the standard ones, and those that are named. Raise `Mistake`."""
    offered = {one.name: one for one in OFFERED}
    for name in names:
        if name not in offered:
            raise Mistake(
                f"--with {name}: is no family that is offered; accepted: {', '.join(offered)} "
                "(docs/own-packages.md has recipes for others)"
            )
    return (*STANDARD, *(offered[name] for name in dict.fromkeys(names)))


def requirements(families: Iterable[Family]) -> str:
    """Return requirements.in for some families; empty where none of them brings a package."""
    own = [one.packages for one in families if one.packages]
    lines = dict.fromkeys([*(packages[0] for packages in own), *(line for packages in own for line in packages)])
    return "".join((REQUIREMENTS, *(f"{line}\n" for line in lines))) if own else ""


def imports(families: Iterable[Family], kind: Literal["Classifier", "Regressor"], module: str) -> str:
    """Return the statement that imports the estimators of a module; empty where none is of it."""
    found = sorted(f"{one.estimator}{kind}" for one in families if one.module == module)
    return f"from {module} import {', '.join(found)}\n" if found else ""


def table(families: Iterable[Family], kind: Literal["Classifier", "Regressor"]) -> str:
    """Return the lines of `training.py` that say how the estimator of each family is made."""
    lines = []
    for one in families:
        lines += [f"    # {one.note}"] if one.note else []
        lines.append(f'    "{one.name}": partial({one.estimator}{kind}, {one.fixed}),')
    return "\n".join(lines)


def _line(name: str, grid: Grid) -> str:
    values = (f"{key}: [{', '.join(map(str, some))}]" for key, some in grid.items())
    return f"{{family: [{name}], {', '.join(values)}}}"
