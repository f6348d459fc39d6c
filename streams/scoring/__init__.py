"""Scoring a file or a table by the engine of the worker: ``wellsentry score``, and the same from Python."""

from streams.scoring.tables import score_file, score_table

__all__ = ["score_file", "score_table"]
