"""How many arrivals a stack has, and how long the filters get that say which objects they are for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from infra.bounds import Limits
from infra.function_spec import FunctionSpec, NewObjects
from infra.function_table import TABLE
from infra.verdict import Verdict, within
from interface.layout import INCOMING, below

PATTERN_CHARACTERS = 192
"""Characters of a pattern without its prefixes: the service, the kind of event, and a bucket's longest name."""
TRANSFORM_BYTES = 288
"""Bytes of a transform's code without models and prefixes."""


def verdicts(models: tuple[str, ...], functions: Iterable[FunctionSpec], bounds: Limits) -> Iterator[Verdict]:
    """Compare the arrivals of a stack, that of datasets and those of rows, which are to blame for what they break."""
    rows = [(spec.trigger, spec.name) for spec in functions if isinstance(spec.trigger, NewObjects)]
    arrivals = [("data", (INCOMING,), ""), *((trigger.store, trigger.prefixes, name) for trigger, name in rows)]
    if (most := bounds.arrivals) is not None:
        for store in dict.fromkeys(store for store, _, _ in arrivals):
            names = [name for other, _, name in arrivals if other == store]
            origin = f"{TABLE}: {', '.join(filter(None, names))}: trigger.store"
            yield within("models", f"arrivals of {store}", len(names), (None, most), origin)
    for _, prefixes, name in arrivals:
        origin = f"{TABLE}: {name}: trigger.prefixes, below each model"
        if (most := bounds.pattern_characters) is not None:
            size = PATTERN_CHARACTERS + sum(len(f'{{"wildcard": "{below("*", prefix)}*"}}, ') for prefix in prefixes)
            yield within("models", "characters of an event pattern", size, (None, most), origin if size > most else "")
        if (most := bounds.transform_bytes) is not None:
            # A dot or slash of a prefix is written as two characters.
            size = TRANSFORM_BYTES + sum(2 * len(prefix) + 1 for prefix in prefixes)
            blamed = origin if size > most else ""
            size += sum(len(model) + 1 for model in models)
            yield within("models", "bytes of a transform", size, (None, most), blamed)
