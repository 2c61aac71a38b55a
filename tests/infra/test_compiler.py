from __future__ import annotations

import marshal
import os
import subprocess
import sys
from pathlib import Path

import pulumi
import pytest
from uv import find_uv_bin

from infra import bytecode, compiler
from infra.bytecode import Stream
from infra.settings import Runtime
from infra.target import target

SOURCE = '''
"""Sets, numbers, nested code and names that are used once and twice."""
from __future__ import annotations
NUMBERS = (1, 2, 10**30, -5, 1.5, 2j, None, True, ..., b"bytes", "a text with spaces", "ä")
def outer(a, b=3, *, c={"x": 1}):
    def inner(d):
        return d in {"one", "two", "three"}, a, "a text with spaces", lambda e: e
    class Local:
        name: str = "one"
    return inner, Local, f"{a!r:>10}"
'''


def test_a_stream_is_the_same_objects_with_no_mark_too_many() -> None:
    code = compile(SOURCE, "source.py", "exec", dont_inherit=True)
    once = Stream(marshal.dumps(code)).normal()
    assert marshal.loads(once) == code  # noqa: S302 - written here
    # What was read from a file is held otherwise than what was just compiled, and marked otherwise.
    held = marshal.loads(once)  # noqa: S302 - written here
    assert marshal.dumps(held) != marshal.dumps(code)
    assert Stream(marshal.dumps(held)).normal() == once


def test_every_module_of_this_interpreter_is_read() -> None:
    """The format is that of `marshal` here: each type that occurs."""
    for file in sorted(Path(os.__file__).parent.glob("*.py")):
        code = compile(file.read_bytes(), file.name, "exec", dont_inherit=True)
        assert marshal.loads(Stream(marshal.dumps(code)).normal()) == code  # noqa: S302 - written here


def tree(folder: Path) -> Path:
    for name, text in {"a/__init__.py": SOURCE, "b.py": "x = 1\n", "wrong.py": "print 'two'\n"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.integration
def test_the_same_version_gives_the_same_bytes_and_names_what_it_cannot_compile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = tree(tmp_path / "one"), tree(tmp_path / "ö ther")
    failed = compiler.compile_tree(first, compiler.here(), tmp_path, instead=True)
    for name, value in {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONOPTIMIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    compiler.compile_tree(other, compiler.here(), tmp_path, instead=True)
    assert content(first) == content(other)
    assert set(content(first)) == {"a/__init__.pyc", "b.pyc", "wrong.py"}
    [line] = failed
    assert line.startswith("wrong.py:1: Missing parentheses")


@pytest.mark.integration
def test_what_is_compiled_is_what_python_itself_would_load(tmp_path: Path) -> None:
    folder = tree(tmp_path / "task")
    compiler.compile_tree(folder, compiler.here(), tmp_path, instead=False)
    cached = folder / "a" / "__pycache__" / f"__init__.{sys.implementation.cache_tag}.pyc"
    (folder / "a" / "__init__.py").write_text("raise ValueError('the source was read')", encoding="utf-8")
    code = "import sys; sys.path.insert(0, '.'); import a; print(a.NUMBERS[2] == 10**30)"
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
    assert b"/var/task/a/__init__.py" in cached.read_bytes()
    assert int.from_bytes(cached.read_bytes()[4:8], "little") == bytecode.UNCHECKED


def shim(folder: Path, text: str, name: str = "python3.13") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / name).chmod(0o755)
    return folder


NOWHERE = {"UV_PYTHON_DOWNLOADS": "never", "UV_OFFLINE": "1"}


@pytest.mark.integration
@pytest.mark.parametrize(
    "text",
    [
        "echo 'pyenv: python3.13: command not found' >&2; exit 127",
        f'exec {sys.executable} "$@"',
        "exit 0",
    ],
    ids=["of a version that is not active", "of another version", "that does nothing"],
)
def test_a_shim_is_no_interpreter(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{shim(tmp_path / 'bin', text)}:/usr/bin:/bin")
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(pulumi.RunError) as refused:
        compiler.find(compiler.VERSIONS["3.13"], tmp_path)
    sentence = str(refused.value)
    assert "runtime.compiled: CPython 3.13.18 compiles the archives, is not on this machine and cannot be" in sentence
    assert sentence.endswith("that version on PATH, a mirror in UV_PYTHON_INSTALL_MIRROR, or compiled: false")
    assert "\n" not in sentence


@pytest.mark.integration
def test_an_interpreter_that_is_another_than_it_was_found_as_compiles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "find", lambda version, cache: sys.executable)
    with pytest.raises(pulumi.RunError, match=rf"does not compile as CPython 3\.13\.18: CPython {compiler.here()}$"):
        compiler.compile_tree(tree(tmp_path / "tree"), "3.13.18", tmp_path, instead=True)
    dead = shim(tmp_path / "bin", "echo 'cannot start' >&2; exit 127") / "python3.13"
    monkeypatch.setattr(compiler, "find", lambda version, cache: str(dead))
    with pytest.raises(pulumi.RunError, match=r"python3\.13 does not compile as CPython 3\.13\.18: cannot start$"):
        compiler.compile_tree(tree(tmp_path / "tree"), "3.13.18", tmp_path, instead=True)


@pytest.mark.integration
@pytest.mark.parametrize("version", compiler.VERSIONS.values())
def test_the_locked_uv_can_fetch_each_compiler(version: str) -> None:
    command = [find_uv_bin(), "python", "list", "--only-downloads", "--all-versions", "--no-config", version]
    env = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert f"cpython-{version}-" in done.stdout


def test_a_stack_names_its_compiler_and_a_local_one_is_compiled_by_this_interpreter() -> None:
    assert target(Runtime()).compiler is None
    assert target(Runtime(compiled=True)).compiler == compiler.VERSIONS["3.13"]
    assert target(Runtime(python="host", architecture="host")).compiler == compiler.here()
