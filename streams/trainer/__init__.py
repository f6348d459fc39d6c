"""The trainer: training requests in; models out, to the registry and to the topic ``models``.

``app.py`` is the page to start with.
"""
