"""The notifier: incidents to people and to other programs. ``running.py`` is the page to start with."""
