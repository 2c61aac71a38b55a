"""Questions in SQL, asked of the stack's own files by DuckDB on this machine."""
