"""Compile a folder of Python sources to `.pyc` files whose bytes depend on the sources and the interpreter's version.

A script for the interpreter that compiles: `python -I bytecode.py FOLDER ROOT beside|instead`. It imports
the standard library alone. `marshal` marks what it may refer back to by how often an object is held
just then, which differs from process to process (https://github.com/python/cpython/issues/78274); here a mark
stays only where something does refer back.
"""

from __future__ import annotations

import importlib.util
import json
import marshal
import platform
import sys
import warnings
from pathlib import Path
from types import CodeType

MARKED = 0x80
"""The bit of a type's byte that says: numbered, and may be referred to."""
UNCHECKED = 1
"""A `.pyc` file with the hash of its source that is loaded without a look at the source:
https://peps.python.org/pep-0552/."""
EMPTY, REFERENCE, CODE, DICT = b"0NFTS.", ord("r"), ord("c"), ord("{")
FIXED = {ord("i"): 4, ord("g"): 8, ord("y"): 16}
SIZED = {ord("s"): 4, ord("t"): 4, ord("u"): 4, ord("a"): 4, ord("A"): 4, ord("z"): 1, ord("Z"): 1}
COUNTED = {ord(")"): 1, ord("("): 4, ord("["): 4, ord("<"): 4, ord(">"): 4}
NUMBERS_OF_CODE, OBJECTS_OF_CODE, OBJECTS_AFTER_LINE = 5, 8, 2


class Stream:
    """What `marshal.dumps` has written, read once: which numbers are referred to, and where the marks are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._marks: list[int] = []
        """Positions of the marked types, by their number."""
        self._references: list[tuple[int, int]] = []
        """Positions of references, each with its number."""
        self._read()

    def normal(self) -> bytes:
        """Return the same objects, where only those that are referred to are marked."""
        used = sorted({number for _, number in self._references})
        renumbered = {number: index for index, number in enumerate(used)}
        out = bytearray(self._data)
        for number, at in enumerate(self._marks):
            if number not in renumbered:
                out[at] &= ~MARKED
        for at, number in self._references:
            out[at : at + 4] = renumbered[number].to_bytes(4, "little")
        return bytes(out)

    def _number(self, width: int) -> int:
        self._at += width
        return int.from_bytes(self._data[self._at - width : self._at], "little", signed=width > 1)

    def _read(self) -> int:
        kind = self._data[self._at]
        if kind & MARKED:
            self._marks.append(self._at)
            kind &= ~MARKED
        self._at += 1
        if kind == REFERENCE:
            at = self._at
            self._references.append((at, self._number(4)))
        else:
            self._content(kind)
        return kind

    def _content(self, kind: int) -> None:
        if kind in FIXED:
            self._skip(FIXED[kind])
        elif kind in SIZED:
            self._skip(self._number(SIZED[kind]))
        elif kind in COUNTED:
            self._objects(self._number(COUNTED[kind]))
        elif kind == ord("l"):
            self._skip(2 * abs(self._number(4)))
        elif kind == CODE:
            self._code()
        elif kind == DICT:
            while self._read() != ord("0"):
                pass
        elif kind not in EMPTY:
            raise ValueError(f"marshal writes a type that is not known here: {kind:#x}")

    def _skip(self, width: int) -> None:
        self._at += width

    def _objects(self, count: int) -> None:
        for _ in range(count):
            self._read()

    def _code(self) -> None:
        """As `w_complex_object` of CPython 3.11 to 3.13 writes it: Python/marshal.c."""
        self._skip(4 * NUMBERS_OF_CODE)
        self._objects(OBJECTS_OF_CODE)
        self._skip(4)
        self._objects(OBJECTS_AFTER_LINE)


def compiled(source: bytes, path: str) -> bytes:
    """Return the content of the `.pyc` file of a source that lies at `path` where it runs.

    Raise `SyntaxError` or `ValueError` for what is no Python of this version.
    """
    code: CodeType = compile(source, path, "exec", dont_inherit=True)
    header = importlib.util.MAGIC_NUMBER + UNCHECKED.to_bytes(4, "little") + importlib.util.source_hash(source)
    return header + Stream(marshal.dumps(code)).normal()


def compile_tree(folder: Path, root: str, *, instead: bool) -> dict[str, str]:
    """Compile every source below `folder`, and return what was wrong with those that cannot be, by their paths.

    `instead` puts the `.pyc` file in the place of its source, which is deleted; otherwise it lies in `__pycache__`.
    """
    failed: dict[str, str] = {}
    for file in sorted(folder.rglob("*.py")):
        path = file.relative_to(folder).as_posix()
        source = file.read_bytes()
        try:
            content = compiled(source, f"{root}/{path}")
        except (SyntaxError, ValueError, RecursionError) as problem:
            line = f":{problem.lineno}" if isinstance(problem, SyntaxError) and problem.lineno else ""
            failed[path] = f"{path}{line}: {getattr(problem, 'msg', problem)}"
            continue
        target = file.with_suffix(".pyc")
        if not instead:
            target = file.parent / "__pycache__" / f"{file.stem}.{sys.implementation.cache_tag}.pyc"
            target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
        if instead:
            file.unlink()
    return failed


def main(folder: str, root: str, place: str) -> None:
    """Compile a folder, and print what did it and what failed, as JSON."""
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(10_000)
    failed = compile_tree(Path(folder), root, instead=place == "instead")
    print(json.dumps({"by": f"{platform.python_implementation()} {platform.python_version()}", "failed": failed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
