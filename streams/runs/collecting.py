"""When Python looks for cycles: seldom, for it stops the whole process and looks at every object made since it last looked.

Readings, labels and what carries them come and go by the hundred thousand by their reference counts alone. At 50,000 objects
one look takes 15 to 35 ms, and while a worker catches up that many are under way all the time.
"""

import gc
from typing import Final

#: More than are under way of a worker that catches up, so that a look comes only once as many were left in cycles.
_YOUNG_OBJECTS: Final = 200_000


def collect_seldom() -> None:
    """From now on look only once so many objects were made and not given up."""
    gc.set_threshold(_YOUNG_OBJECTS, 20, 100)


def keep_what_is_there() -> None:
    """Never look again at what there is now, which lives as long as the process, and seldom at what comes."""
    gc.collect()
    gc.freeze()
    collect_seldom()
