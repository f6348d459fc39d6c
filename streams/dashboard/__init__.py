"""The dashboard: what operators look at, in a process of its own."""
