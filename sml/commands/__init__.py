"""The commands, one noun a file. Each imports what it works with when it is called: `--help` is there at once."""
