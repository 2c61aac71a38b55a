"""`sml tune`: which memory a predict function should have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sml.file import require_place
from sml.mistake import FAILED, Mistake
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from sml.stack import Stack
    from sml.tune.report import Tuned

SMALLEST, LARGEST = 128, 10_240


@on_stack
def tune(  # noqa: PLR0913, PLR0917 - an argument for each option
    session: Session,
    model: Annotated[
        str | None, typer.Argument(help="The model whose predict function it is about.", metavar="MODEL")
    ] = None,
    function: Annotated[str | None, typer.Option(help="The function, in place of a model: predict.")] = None,
    sizes: Annotated[str | None, typer.Option(help="Sizes in MB: 512,1024,1769.")] = None,
    calls: Annotated[int, typer.Option(min=5, max=10_000, help="Requests of a row, of each size.")] = 50,
    batch: Annotated[int, typer.Option(min=2, max=10_000, help="Rows of a batch.")] = 100,
    purpose: Annotated[str, typer.Option("--for", help="What is best: balanced, cost or latency.")] = "balanced",
    write: Annotated[bool, typer.Option("--write", help="Write the best size into Pulumi.<stack>.yaml.")] = False,
    report: Annotated[Path | None, typer.Option("--report", "-o", help="The page with the charts.")] = None,
) -> None:
    """Run the real predict function at several sizes of memory, and say which is best."""
    from sml.tune.choice import PURPOSES  # noqa: PLC0415 - `sml --help` needs none of it
    from sml.tune.report import COLUMNS, render  # noqa: PLC0415

    if purpose not in PURPOSES:
        raise Mistake(f"--for {purpose}: accepted: {', '.join(PURPOSES)}")
    asked = _sizes(sizes)
    if report is not None:
        require_place(report)
    found = session.stack
    names = _models(found, model, function)
    path = _file(found, names) if write else None
    tuned = _measure(session, names, asked, calls=calls, batch=batch, purpose=purpose)
    out, target = session.out, report or Path(f"tune-{tuned.model}.html")
    out.table(tuned.rows(), COLUMNS, empty="no size was tried", documents=tuned.document())
    out.line(f"\n{tuned.advice}")
    for line in (tuned.proves, tuned.bill):
        out.line(line)
    target.write_bytes(render(tuned))
    out.say(f"the charts are in {target}")
    if tuned.chosen is None:
        raise typer.Exit(FAILED)
    if path is not None:
        _write(session, path, names, tuned.chosen.size.memory_mb)
    elif not tuned.chosen.deployed:
        out.line("write it with --write")


def _sizes(text: str | None) -> list[int]:
    """Return the sizes that are asked for, rising; none where nobody asks. Raise `Mistake`."""
    if text is None:
        return []
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and SMALLEST <= int(part) <= LARGEST for part in parts):
        raise Mistake(f"--sizes {text}: accepted: sizes in MB from {SMALLEST} to {LARGEST:,}, as in 512,1024,1769")
    return sorted({int(part) for part in parts})


def _models(stack: Stack, model: str | None, function: str | None) -> list[str]:
    """Return the models that the function answers for, the one to tune it with first. Raise `Mistake`."""
    if (model is None) is (function is None):
        raise Mistake("name a model, or a function by --function")
    serving = {name: str(facts.get("function") or "") for name, facts in sorted(stack.outputs["models"].items())}
    if model is not None:
        own = serving[stack.model(model)]
        return [model, *(name for name, other in serving.items() if other == own and name != model)]
    models = [name for name, other in serving.items() if other == function]
    if not models and function in (stack.outputs.get("functions") or {}):
        raise Mistake(f"{function} writes into the stores, so to run it is to do its work again; {_tunable(serving)}")
    if not models:
        raise Mistake(f"there is no function {function}; {_tunable(serving)}")
    # A model that is live, if any is.
    return sorted(models, key=lambda name: stack.records(name).live().champion is None)


def _tunable(serving: dict[str, str]) -> str:
    return f"tuned are those that only answer: {', '.join(sorted(set(serving.values())))}"


def _measure(
    session: Session, names: Sequence[str], asked: Sequence[int], *, calls: int, batch: int, purpose: str
) -> Tuned:
    from dataclasses import replace  # noqa: PLC0415 - light by itself, and what follows is not

    from sml import clouds  # noqa: PLC0415
    from sml.tune import prices, requests, run, trial  # noqa: PLC0415
    from sml.tune.report import Tuned  # noqa: PLC0415

    found, say = session.stack, session.out.say
    embedded = found.way is not None
    if embedded:
        trial.require_processes()
    model = names[0]
    function = str(found.outputs["models"][model].get("function") or "")
    trials = clouds.trials(found.scheme, found.outputs, function, found.way)
    records = found.records(model)
    wanted = requests.requests_of(records, batch)
    deployed = trials.deployed()
    # Without the size that is deployed there is nothing to compare with.
    memory = sorted({*(asked or trials.sizes), deployed.memory_mb})
    region = clouds.region(found.scheme, found.outputs)
    sizes = prices.sizes_of(clouds.schemes()[found.scheme], region, deployed, memory)
    pointer = records.live()
    if pointer.challenger:
        say(f"a release of {pointer.challenger} is under way: some requests are asked of two versions")
    if len(names) > 1:
        say(f"{function} answers for {', '.join(names[1:])}, too")
    with run.copy(trials, trials.name(), say) as name:
        measured = run.run(trials, name, sizes, wanted, run.Plan(calls=calls), say)
    marked = [replace(one, deployed=one.size.memory_mb == deployed.memory_mb) for one in measured]
    return Tuned(
        function=function,
        model=model,
        version=str(pointer.champion),
        where=f"stack {found.name}, {'on this machine' if embedded else region}",
        proves=trial.proven(trials.proves, embedded=embedded),
        measured=marked,
        purpose=purpose,
        calls=calls,
    )


def _file(stack: Stack, names: Sequence[str]) -> Path:
    """Return the stack's file, which can be written. Raise `Mistake` before anything is measured."""
    from sml.here import ROOT  # noqa: PLC0415
    from sml.tune.setting import paths_of, with_value  # noqa: PLC0415

    path = ROOT / f"Pulumi.{stack.name}.yaml"
    if not path.is_file():
        raise Mistake(
            f"--write: there is no {path.name} in {ROOT}: name the stack with --stack, or set memory_mb by hand"
        )
    text = path.read_text(encoding="utf-8")
    for setting in paths_of(text, names, path.name):
        with_value(text, setting, SMALLEST, path.name)
    return path


def _write(session: Session, path: Path, names: Sequence[str], memory_mb: int) -> None:
    from sml.tune.setting import paths_of, with_value  # noqa: PLC0415

    text = path.read_text(encoding="utf-8")
    paths = paths_of(text, names, path.name)
    changed = text
    for setting in paths:
        changed = with_value(changed, setting, memory_mb, path.name)
    if changed != text:
        path.write_text(changed, encoding="utf-8")
    named = ", ".join(f"{'.'.join(setting)}: {memory_mb}" for setting in paths)
    session.out.say(f"{path.name}: {named}{'' if changed != text else ', as it was'}")
