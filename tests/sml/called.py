"""Calls of `sml` in this process, with all that they print."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sml.app import main


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def called(*arguments: str, state: Path | None = None, given: str = "") -> Said:
    """Call `sml`, for the stack whose files are in `state`."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["sml", *arguments])
        patch.setattr(sys, "stdin", io.StringIO(given))
        # What a stack that is up here has the process trust goes with the call.
        patch.setenv("SSL_CERT_FILE", "")
        patch.delenv("SSL_CERT_FILE")
        if state is not None:
            patch.setenv("SML_STATE", str(state))
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Said(code=code, out=out.getvalue(), err=err.getvalue())
