"""Judging again what was judged: under the models that were in force then, or under others.

``rerun.py`` is the page to start with.
"""
