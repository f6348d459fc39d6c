"""Measurements, against peers and against ourselves, each a command."""
