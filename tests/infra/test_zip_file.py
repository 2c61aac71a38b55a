from __future__ import annotations

import hashlib
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra import zip_file

KNOWN = "00c8cef11a9bb06c3c9cd3e2cb80ddf0b13e08fb113c8d217af46fcd4ffe3f83"
FILES = {"b/käse.py": b"x = 1\n" * 100, "a.txt": b"", "lib.so": os.urandom(50), "b/a.py": b"y"}


def test_every_reader_finds_the_same_files_in_it(tmp_path: Path) -> None:
    total = zip_file.write(tmp_path / "a.zip", FILES.items())
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        assert packed.testzip() is None
        assert {name: packed.read(name) for name in packed.namelist()} == FILES
        assert packed.namelist() == sorted(FILES)
        assert {entry.date_time for entry in packed.infolist()} == {zip_file.EPOCH}
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in packed.infolist()}
    assert total == sum(map(len, FILES.values()))
    assert modes == {"a.txt": 0o644, "b/a.py": 0o644, "b/käse.py": 0o644, "lib.so": 0o755}


def test_what_was_packed_before_is_taken_over_as_it_is(tmp_path: Path) -> None:
    zip_file.write(tmp_path / "before.zip", FILES.items())
    zip_file.write(tmp_path / "whole.zip", [("z.py", b"z" * 1000)], after=tmp_path / "before.zip")
    with zipfile.ZipFile(tmp_path / "whole.zip") as packed:
        assert packed.testzip() is None
        assert packed.namelist() == [*sorted(FILES), "z.py"]
        assert packed.read("b/käse.py") == FILES["b/käse.py"]
    before = (tmp_path / "before.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "before.zip") as packed:
        assert (tmp_path / "whole.zip").read_bytes().startswith(before[: packed.start_dir])


def test_the_order_in_which_files_come_means_nothing(tmp_path: Path) -> None:
    zip_file.write(tmp_path / "one.zip", FILES.items())
    zip_file.write(tmp_path / "other.zip", reversed(FILES.items()))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()


def test_what_is_in_several_files_is_compressed_once_in_a_block_and_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compress, packed = zip_file.deflate.deflate_compress, []

    def noted(data: bytes, level: int) -> bytearray:
        packed.append(data)
        return compress(data, level)

    zip_file.write(tmp_path / "alone.zip", FILES.items())
    monkeypatch.setattr(zip_file.deflate, "deflate_compress", noted)
    files = [tmp_path / f"{number}.zip" for number in range(8)]
    with zip_file.sharing(), ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda file: zip_file.write(file, FILES.items()), files))
    assert sorted(packed) == sorted(data for data in FILES.values() if data)
    assert {file.read_bytes() for file in files} == {(tmp_path / "alone.zip").read_bytes()}
    zip_file.write(tmp_path / "after.zip", [("b/a.py", b"y")])
    assert packed.count(b"y") == 2


def test_its_bytes_are_known_whatever_zlib_this_interpreter_has(tmp_path: Path) -> None:
    """A newer libdeflate may give others: then every function is published anew, and RULES of dependencies.py rises."""
    zip_file.write(tmp_path / "a.zip", [("a.py", b"".join(b"line %d\n" % (line * line) for line in range(2000)))])
    assert hashlib.sha256((tmp_path / "a.zip").read_bytes()).hexdigest() == KNOWN


def test_more_than_the_format_takes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_file, "LARGEST", 100)
    with pytest.raises(ValueError, match=r"a\.zip: \d+ bytes in 4 files; accepted: 100 in 65,535"):
        zip_file.write(tmp_path / "a.zip", FILES.items())
