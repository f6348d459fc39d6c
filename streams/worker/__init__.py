"""The worker: readings in; labels, incidents, status, rejected and training requests out.

``pipeline.py`` is the page to start with.
"""
