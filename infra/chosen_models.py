"""The models that a stack names: each has a folder, a contract, and what its contract asks for."""

from __future__ import annotations

import pulumi

from infra import bring_your_own, limits
from infra.complaint import shown
from infra.settings import KEY, Settings
from infra.shipping import require_training
from models.bring_your_own import BringYourOwn
from models.catalogue import load
from models.section import ContractError, names


def require(settings: Settings) -> None:
    """Raise `pulumi.RunError` for a model that is not there, or whose contract, file or training is not valid."""
    here = names()
    accepted = f"{', '.join(here) or 'none'} (the folders in models/ that hold a model.yaml)"
    refused = [
        f"{settings.where(f'models.{position}', pulumi.get_stack())}: {KEY} -> models[{position}]: "
        f"found {shown(model, secret=settings.secret)}; accepted: {accepted}"
        for position, model in enumerate(settings.models)
        if model not in here
    ]
    if refused:
        raise pulumi.RunError("\n".join(refused))
    mistakes = []
    for model in settings.models:
        try:
            _require(model)
        except pulumi.RunError as problem:
            mistakes.append(str(problem))
    if mistakes:
        raise pulumi.RunError("\n".join(mistakes))


def _require(model: str) -> None:
    try:
        contract = load(model)
    except ContractError as problem:
        raise pulumi.RunError(str(problem)) from None
    if isinstance(contract, BringYourOwn):
        bring_your_own.require_file(model, contract)
        return
    require_training(model)
    experiments = len(contract.search.experiments())
    if experiments > limits.MAXIMUM_EXPERIMENTS:
        raise pulumi.RunError(
            f"models/{model}/model.yaml: search: {experiments:,} experiments; "
            f"accepted: at most {limits.MAXIMUM_EXPERIMENTS:,}, or method: random with trials"
        )
