"""The functions of docs/add-a-function.md, as a reader of the page adds them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from infra import function_spec, function_table
from infra.function_spec import FunctionSpec
from tests.docs.page import Block, blocks
from tests.root import ROOT

PAGE: Final = ROOT / "docs" / "add-a-function.md"
TABLE: Final = "infra/function_table.py"
END: Final = "\n)\n"
"""The end of the table, and nothing before it in `FUNCTIONS`."""


def path_of(block: Block) -> str:
    """Return the file that a block belongs to: its first line says so."""
    return block.text.splitlines()[0].removeprefix("# ")


def python() -> list[Block]:
    return [block for block in blocks(PAGE) if block.language == "python"]


def row(block: Block) -> FunctionSpec:
    """Return the row that a block is, with the names that the table knows."""
    return eval(block.text, {**vars(function_spec), **vars(function_table)})  # noqa: S307 - our own page


def entry(spec: FunctionSpec) -> Any:
    """Return what the row's entry names."""
    module, _, name = spec.entry.partition(":")
    return getattr(importlib.import_module(module), name)


@contextmanager
def importable() -> Generator[None]:
    """The page's modules of functions/core can be imported inside the block."""
    modules = {
        path_of(block).removesuffix(".py").replace("/", "."): block
        for block in python()
        if path_of(block).startswith("functions/")
    }
    for name, block in modules.items():
        module = ModuleType(name)
        exec(compile(block.text, str(block), "exec"), vars(module))  # noqa: S102 - our own page
        sys.modules[name] = module
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]


def plant(root: Path) -> None:
    """Write every file of the page into a copy of the project, and the rows into its table."""
    table = root / TABLE
    for block in python():
        if path_of(block) == TABLE:
            text = table.read_text(encoding="utf-8")
            end = text.index(END, text.index("\nFUNCTIONS"))
            table.write_text(f"{text[:end]}\n{block.text.rstrip()},{text[end:]}", encoding="utf-8")
        else:
            (root / path_of(block)).write_text(block.text.partition("\n")[2], encoding="utf-8")
