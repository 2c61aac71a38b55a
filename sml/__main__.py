"""Run `sml`: also as `python -m sml`."""

from __future__ import annotations

from sml.app import main

if __name__ == "__main__":
    main()
