"""Others at the same work, each a process of its own: what the worker is measured against."""
