from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import obstore
import pytest

from infra.elf import shorten

PACKAGE = Path(obstore.__file__).parent


@pytest.mark.integration
@pytest.mark.skipif(sys.platform != "linux", reason="libraries are ELF on Linux")
def test_a_library_without_its_symbols_works_and_is_smaller(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "obstore")
    library = next((tmp_path / "obstore").glob("_obstore*.so"))
    before = library.read_bytes()
    shorten(library)
    after = library.read_bytes()
    assert len(after) < 0.9 * len(before)
    code = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r})
import obstore
from obstore.store import MemoryStore
store = MemoryStore()
obstore.put(store, "key", b"value")
print(obstore.__file__, obstore.get(store, "key").bytes().to_bytes())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{tmp_path}/obstore/__init__.py b'value'\n"
    shorten(library)
    assert library.read_bytes() == after


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF\x01\x01" + bytes(100), b"INPUT ( libc.so.6 )"])
def test_what_is_no_such_library_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "library.so").write_bytes(content)
    shorten(tmp_path / "library.so")
    assert (tmp_path / "library.so").read_bytes() == content
