"""The models that a stack names: each has a folder, a contract, and what its contract asks for."""

from __future__ import annotations

import pulumi

from infra import bring_your_own, limits, model_lock, trainers
from infra.capture import require_columns
from infra.complaint import shown
from infra.settings import KEY, Settings
from infra.shipping import require_training
from interface.onnx_file import inputs_of
from models.bring_your_own import BringYourOwn
from models.catalogue import load
from models.contract import Contract
from models.section import ContractError, names
from models.training_text import why_not

JOINED_AFTER = 2
"""Days beyond the horizon until the rows of a whole day have been joined with their truths."""


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
            _require(model, settings)
        except pulumi.RunError as problem:
            mistakes.append(str(problem))
    if mistakes:
        raise pulumi.RunError("\n".join(mistakes))
    if settings.capture.redact:
        columns, stack = {model: _columns(model) for model in settings.models}, pulumi.get_stack()
        require_columns(settings.capture, columns, lambda path: settings.where(path, stack), KEY)


def _columns(model: str) -> tuple[str, ...]:
    """Return the columns of what callers send a model: its features, or the inputs of a file and their columns."""
    contract = load(model)
    if not isinstance(contract, BringYourOwn):
        return tuple(feature.name for feature in contract.features)
    inputs = inputs_of(bring_your_own.require_file(model, contract).read_bytes())
    return tuple(column for name in inputs for column in contract.columns.get(name, (name,)))


def _require(model: str, settings: Settings) -> None:
    try:
        contract = load(model)
    except ContractError as problem:
        raise pulumi.RunError(str(problem)) from None
    _require_kept(contract, settings)
    if isinstance(contract, BringYourOwn):
        bring_your_own.require_file(model, contract)
        if trainers.with_packages([model]):
            raise pulumi.RunError(
                f"models/{model}/{trainers.REQUIREMENTS}: {model} is a finished model, which nothing trains; accepted:"
                " none, or a model with task: classification"
            )
        return
    require_training(model)
    if (told := why_not(contract)) is not None:
        raise pulumi.RunError(told)
    model_lock.require(model)
    if model in settings.training.models and not trainers.with_packages([model]):
        raise pulumi.RunError(
            f"{settings.where(f'training.models.{model}', pulumi.get_stack())}: {KEY} -> training.models.{model}:"
            f" {model} has no models/{model}/{trainers.REQUIREMENTS}, and is trained as all others are; accepted: a"
            " model with packages of its own, or functions.train for all"
        )
    experiments = len(contract.search.experiments())
    if experiments > limits.MAXIMUM_EXPERIMENTS:
        raise pulumi.RunError(
            f"models/{model}/model.yaml: search: {experiments:,} experiments; "
            f"accepted: at most {limits.MAXIMUM_EXPERIMENTS:,}, or method: random with trials"
        )


def _require_kept(contract: Contract | BringYourOwn, settings: Settings) -> None:
    """Refuse a horizon beyond which the rows are gone that truths are joined with, where truths are meant to come."""
    horizon, kept = contract.labels.horizon_days, settings.capture.days
    asked = bool(contract.labels.model_fields_set) or (
        settings.retraining is not None and not isinstance(contract, BringYourOwn)
    )
    if asked and horizon + JOINED_AFTER > kept:
        default = "" if "horizon_days" in contract.labels.model_fields_set else " by default"
        raise pulumi.RunError(
            f"models/{contract.name}/model.yaml: labels.horizon_days: is {horizon}{default}, and capture.days of the"
            f" stack is {kept}: rows would be gone before they are joined with their truths; accepted: capture.days of"
            f" {horizon + JOINED_AFTER} or more, or fewer horizon_days"
        )
