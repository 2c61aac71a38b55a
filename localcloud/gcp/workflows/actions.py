"""Parses the steps of a routine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localcloud.gcp.workflows.errors import Refused
from localcloud.gcp.workflows.names import Names, StepContext
from localcloud.gcp.workflows.retries import read_retry
from localcloud.gcp.workflows.steps import Action, Assign, Block, Call, Loop, Parallel, Raise, Return, Step, Switch, Try
from localcloud.gcp.workflows.values import Values

HTTP_ARGUMENTS = frozenset({"url", "timeout", "headers", "query", "auth"})
ARGUMENTS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    **{f"http.{verb}": (frozenset({"url"}), HTTP_ARGUMENTS | {"body"}) for verb in ("post", "put", "patch", "delete")},
    "http.get": (frozenset({"url"}), HTTP_ARGUMENTS),
    "http.request": (frozenset({"url", "method"}), HTTP_ARGUMENTS | {"method", "body"}),
    "sys.sleep": (frozenset({"seconds"}), frozenset({"seconds"})),
    "sys.log": (frozenset(), frozenset({"text", "json", "severity"})),
}
"""The functions that can be called: their required arguments, and all that they accept."""
KINDS = ("assign", "call", "switch", "for", "parallel", "try", "raise", "return", "steps")
COMPANIONS = {"call": {"args", "result"}, "try": {"retry", "except"}}
LIMITS = {"assign": 50, "switch": 50, "branches": 10}
"""https://cloud.google.com/workflows/quotas#resource_limit"""
MAX_NESTING = 2
"""The depth to which parallel steps may be nested."""


class Actions:
    """Parses the steps of one routine. Raises `Refused`, which names the step, for what is not implemented."""

    def __init__(self, routine: str, params: Sequence[str], subworkflows: frozenset[str]) -> None:
        self._routine = routine
        self._names = Names(params=frozenset(params))
        self._values = Values(self._names)
        self._subworkflows = subworkflows

    def finish(self) -> None:
        """Check the variables of the routine, after its last step. Raises `Refused`."""
        self._names.check()

    def block(self, raw: Any, where: str, context: StepContext | None = None) -> Block:
        """Parse a list of steps. `where` names it in messages."""
        if not isinstance(raw, list) or not raw:
            raise Refused(f"{where}: steps is a list of at least one step")
        pairs: list[tuple[str, Any]] = []
        for item in raw:
            if not isinstance(item, Mapping) or len(item) != 1:
                raise Refused(f"{where}: each step is a map of one name")
            pairs += [(str(name), body) for name, body in item.items()]
        names = [name for name, _ in pairs]
        if duplicates := sorted({name for name in names if names.count(name) > 1}):
            raise Refused(f"{where}: two steps are called {', '.join(duplicates)}")
        context = (context or StepContext()).among(names)
        return Block(steps=tuple(self._step(name, body, context) for name, body in pairs))

    def _step(self, name: str, raw: Any, context: StepContext) -> Step:
        where = f"{self._routine}: {name}"
        if not isinstance(raw, Mapping):
            raise Refused(f"{where}: a step is a map")
        kinds = [kind for kind in KINDS if kind in raw]
        unknown = set(raw) - {"next", *kinds, *(key for kind in kinds for key in COMPANIONS.get(kind, ()))}
        if len(kinds) > 1 or unknown or not (kinds or "next" in raw):
            raise Refused(f"{where}: has {', '.join(sorted(raw))}; accepted: next, and one of {', '.join(KINDS)}")
        jump = self._jump(raw, where, context)
        action = self._action(kinds[0], raw, where, context) if kinds else None
        return Step(name=name, action=action, next=jump)

    def _jump(self, raw: Mapping[str, Any], where: str, context: StepContext) -> str | None:
        target = raw.get("next")
        if target is not None and target not in context.targets:
            raise Refused(f"{where}: next: {target} is no step that can be jumped to from here")
        return target

    def _action(self, kind: str, raw: Mapping[str, Any], where: str, context: StepContext) -> Action:
        readers: Mapping[str, Callable[[Mapping[str, Any], str, StepContext], Action]] = {
            "assign": self._assign,
            "call": self._call,
            "switch": self._switch,
            "for": self._for,
            "parallel": self._parallel,
            "try": self._try,
            "raise": self._raise,
            "return": self._return,
            "steps": lambda raw, where, context: self.block(raw["steps"], where, context),
        }
        return readers[kind](raw, where, context)

    def _raise(self, raw: Mapping[str, Any], where: str, _: StepContext) -> Raise:
        return Raise(value=self._values.value(raw["raise"], where))

    def _return(self, raw: Mapping[str, Any], where: str, context: StepContext) -> Return:
        if context.nesting:
            raise Refused(f"{where}: return is not accepted in a parallel step")
        return Return(value=self._values.value(raw["return"], where))

    def _for(self, raw: Mapping[str, Any], where: str, context: StepContext) -> Loop:
        return self._loop(raw["for"], where, context.in_a_loop())

    def _assign(self, step: Mapping[str, Any], where: str, _: StepContext) -> Assign:
        raw = step["assign"]
        if not isinstance(raw, list) or not 1 <= len(raw) <= LIMITS["assign"]:
            raise Refused(f"{where}: assign is a list of 1 to {LIMITS['assign']} variables")
        targets = []
        for item in raw:
            if not isinstance(item, Mapping) or len(item) != 1:
                raise Refused(f"{where}: assign: each is a map of one variable")
            target, value = _pair(item)
            name, keys = self._values.target(target, where)
            targets.append((name, keys, self._values.value(value, where)))
            if keys:
                self._names.read([name], where)
            self._names.write(name)
        return Assign(targets=tuple(targets))

    def _call(self, raw: Mapping[str, Any], where: str, _: StepContext) -> Call:
        function, arguments = raw["call"], raw.get("args") or {}
        if not isinstance(arguments, Mapping):
            raise Refused(f"{where}: args are given by name")
        if function in ARGUMENTS:
            required, accepted = ARGUMENTS[function]
            if not required <= set(arguments) <= accepted:
                raise Refused(
                    f"{where}: {function} takes {', '.join(sorted(accepted))}; it got {', '.join(sorted(arguments))}"
                )
        elif function not in self._subworkflows:
            known = ", ".join((*sorted(ARGUMENTS), *sorted(self._subworkflows)))
            raise Refused(f"{where}: call: {function} is not known here; accepted: {known}")
        result = raw.get("result")
        if result is not None:
            self._names.write(result)
        evaluated = {str(key): self._values.value(value, where) for key, value in arguments.items()}
        return Call(function=function, arguments=evaluated, result=result)

    def _switch(self, step: Mapping[str, Any], where: str, context: StepContext) -> Switch:
        raw = step["switch"]
        if not isinstance(raw, list) or not 1 <= len(raw) <= LIMITS["switch"]:
            raise Refused(f"{where}: switch is a list of 1 to {LIMITS['switch']} conditions")
        cases = []
        for case in raw:
            if not isinstance(case, Mapping) or "condition" not in case or len(case) == 1:
                raise Refused(f"{where}: each case of a switch has a condition and what to do")
            condition = self._values.value(case["condition"], where)
            rest = {key: value for key, value in case.items() if key != "condition"}
            cases.append((condition, self._single(rest, where, context)))
        return Switch(cases=tuple(cases))

    def _loop(self, raw: Any, where: str, context: StepContext) -> Loop:
        if not isinstance(raw, Mapping) or not {"value", "steps"} <= set(raw) <= {
            "value",
            "index",
            "in",
            "range",
            "steps",
        }:
            raise Refused(f"{where}: a for has value, steps, and in or range")
        if ("in" in raw) == ("range" in raw):
            raise Refused(f"{where}: a for has one of in and range")
        for name in (raw["value"], raw.get("index")):
            if name is not None:
                self._names.local(name)
        return Loop(
            value=raw["value"],
            index=raw.get("index"),
            items=self._values.value(raw["range"] if "range" in raw else raw["in"], where),
            is_range="range" in raw,
            body=self.block(raw["steps"], where, context),
        )

    def _parallel(self, step: Mapping[str, Any], where: str, context: StepContext) -> Parallel:
        raw = step["parallel"]
        accepted = {"shared", "concurrency_limit", "exception_policy", "branches", "for"}
        if not isinstance(raw, Mapping) or set(raw) - accepted or ("for" in raw) == ("branches" in raw):
            raise Refused(
                f"{where}: a parallel has branches or for, and {', '.join(sorted(accepted - {'branches', 'for'}))}"
            )
        if raw.get("exception_policy", "continueAll") != "continueAll":
            raise Refused(f"{where}: exception_policy: accepted: continueAll")
        if context.nesting >= MAX_NESTING:
            raise Refused(f"{where}: parallel steps are nested deeper than {MAX_NESTING}")
        shared = frozenset(raw.get("shared") or ())
        limit = self._values.value(raw["concurrency_limit"], where) if "concurrency_limit" in raw else None
        if "for" in raw:
            with self._names.parallel(where, shared):
                return Parallel(
                    work=self._loop(raw["for"], where, context.in_a_parallel_loop()), shared=shared, limit=limit
                )
        return Parallel(work=self._branches(raw["branches"], where, context, shared), shared=shared, limit=limit)

    def _branches(self, raw: Any, where: str, context: StepContext, shared: frozenset[str]) -> dict[str, Block]:
        if not isinstance(raw, list) or not 2 <= len(raw) <= LIMITS["branches"]:
            raise Refused(f"{where}: branches is a list of 2 to {LIMITS['branches']}")
        branches: dict[str, Block] = {}
        for branch in raw:
            if not isinstance(branch, Mapping) or len(branch) != 1:
                raise Refused(f"{where}: each branch is a map of one name")
            name, body = _pair(branch)
            with self._names.parallel(where, shared):
                branches[name] = Block(steps=(self._step(name, body, context.in_a_branch()),))
        return branches

    def _try(self, raw: Mapping[str, Any], where: str, context: StepContext) -> Try:
        body = raw["try"]
        block = self.block(body, where, context) if isinstance(body, list) else self._single(body, where, context)
        retry = read_retry(raw["retry"], self._values, self._subworkflows, where) if "retry" in raw else None
        handler, error = None, None
        if "except" in raw:
            caught = raw["except"]
            if not isinstance(caught, Mapping) or set(caught) != {"as", "steps"}:
                raise Refused(f"{where}: except has as and steps")
            error = caught["as"]
            self._names.local(error)
            handler = self.block(caught["steps"], where, context)
        if retry is None and handler is None:
            raise Refused(f"{where}: a try has retry, except, or both")
        return Try(body=block, retry=retry, error=error, handler=handler)

    def _single(self, raw: Any, where: str, context: StepContext) -> Block:
        return Block(steps=(self._step(where.rpartition(": ")[2], raw, context),))


def _pair(item: Mapping[Any, Any]) -> tuple[str, Any]:
    """Return the key and the value of a map of one key."""
    (name, value), *_ = item.items()
    return str(name), value
