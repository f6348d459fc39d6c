"""``wellsentry demo``: everything in one go on one machine, to be looked at or to be checked."""
