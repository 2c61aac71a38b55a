from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.runtime import digest
from tests.root import ROOT


@given(st.lists(st.binary(max_size=80), max_size=4))
def test_parts_are_digested_as_if_they_were_one(parts: list[bytes]) -> None:
    assert digest.sha256(*parts) == hashlib.sha256(b"".join(parts)).digest()


@pytest.mark.parametrize("size", [0, digest._LARGE - 1, digest._LARGE, digest._LARGE + 1])
def test_few_bytes_and_many_have_the_digest_that_openssl_says(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert digest.sha256(memoryview(data)) == hashlib.sha256(data).digest()


def test_a_python_without_its_own_asks_hashlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "_BUILT_IN", ("_no_such_module",))
    assert digest.sha256(b"abc") == hashlib.sha256(b"abc").digest()


@pytest.mark.integration
def test_openssl_is_loaded_for_many_bytes_alone() -> None:
    code = "import sys; from functions.core.runtime.digest import _LARGE, sha256\n"
    code += "sha256(b'a'); print('_hashlib' in sys.modules); sha256(bytes(_LARGE)); print('_hashlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\nTrue\n"
