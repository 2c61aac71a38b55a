"""How the `fit` of a training.py is called, and whether one can be, by its text: it is not run."""

from __future__ import annotations

import ast

PLAIN = ("X", "y", "params")
WEIGHTED = (*PLAIN, "weight")
"""Its arguments where `model.yaml` has weights."""
NO_WEIGHTS = (
    f"fit takes no weights, which model.yaml gives the rows; write fit({', '.join(WEIGHTED)}), and pass weight to the"
    " estimator's fit as sample_weight"
)
WEIGHTED_QUANTILE = (*PLAIN, "quantile", "weight")
"""Those of a `fit_quantile`, then."""
NO_WEIGHTS_OF_ENDS = (
    "fit_quantile takes no weights, which model.yaml gives the rows; write"
    f" fit_quantile({', '.join(WEIGHTED_QUANTILE)}), and pass weight on as sample_weight"
)
WITHOUT = (
    f"fit wants more than fit({', '.join(PLAIN)}), and model.yaml gives the rows no weights; write weight=None, or"
    " weights in model.yaml"
)


def why_not(text: str, *, weighted: bool) -> tuple[int, str] | None:
    """Return the line of a `fit` that cannot be called, and a sentence; None where it can be, or nobody can tell.

    A `fit` that comes from elsewhere, or that a decorator makes another one, only the run can tell of.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "fit"]
    if len(found) != 1 or found[0] not in tree.body or found[0].decorator_list:
        return None
    [fit] = found
    given = [*fit.args.posonlyargs, *fit.args.args]
    least = len(given) - len(fit.args.defaults)
    if weighted and len(given) < len(WEIGHTED) and fit.args.vararg is None:
        return fit.lineno, NO_WEIGHTS
    return (fit.lineno, WITHOUT) if not weighted and least > len(PLAIN) else None
