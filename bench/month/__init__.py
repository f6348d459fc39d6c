"""A month of readings, and every command that looks back at it: ``python -m bench.month``."""
