"""Which incidents are told to whom, when, and in which order: pure, with the clock and the jitter passed in."""
