"""Readings judged again, without a worker and without disturbing one: ``wellsentry replay``.

``replaying.py`` is the page to start with.
"""
