"""What deploy time and run time agree on: both import it, and it imports nothing but the standard library.

`infra/` declares a stack by these names, and `functions/` answers, reads and writes by them.
"""
