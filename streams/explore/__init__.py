"""Readings from files or a topic, explored: one page for the domain expert, and the same as JSON."""
