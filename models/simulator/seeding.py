"""Where the simulator's chance comes from: one stream of numbers for each well, purpose and stretch of time.

So a well is the same whatever other wells there are, and in whatever order they are made.
"""

from typing import Final

import numpy as np

WELL: Final = 1  # a well's parameters
NOISE: Final = 2  # a well's physics and sensors, read on from chunk to chunk
EVENTS: Final = 3  # a well's events of one day
AREA: Final = 4  # what the wells of an area share
AREA_EVENTS: Final = 5  # an area's events of one day
SHUFFLE: Final = 6  # in which order a backfill comes
SPIKING: Final = 7  # what a spiking sensor shows
DEFECTS: Final = 8  # a well's defects of one day


def chance(seed: int, index: int, purpose: int, block: int = 0) -> np.random.Generator:
    """The stream of well or area ``index`` for ``purpose``; ``block`` is a day, a chunk or a moment."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(index, purpose, block))))
