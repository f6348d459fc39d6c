"""Views: cheap ways of looking at a feature that see what its rolling median hides (docs/detection.md).

Each view gives a raw score; a tally of its own past raw scores turns that into a surprise. Nothing here knows of machines
or runs: rows of arrays in, numbers out.
"""
