"""Faust, with its records delivered in runs.

Stock Faust makes two tasks and one event for each message; that costs more than everything wellsentry does with a
reading. Here one event carries all records of a topic that one fetch brought, a run for each partition. Nothing is committed
by itself: an application calls :func:`streams.runs.committing.commit` once what it made of a run is durable.
"""
