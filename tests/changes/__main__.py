"""`python -m tests.changes`: write the table of docs/changes.md anew."""

from tests.changes.page import PAGE, written

if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
