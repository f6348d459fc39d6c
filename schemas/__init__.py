"""What crosses a boundary: readings, labels, incidents, models, topics, units and errors.

Nothing here knows Kafka, a clock or a detector. ``models`` and ``streams`` import from here, never the other way.
"""
