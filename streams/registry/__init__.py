"""The registry: every model there ever was, with all that is needed to make and to judge it again.

One entry is one directory, in a directory of files or in S3::

    <client>/<machine>/<stack>/<UTC time>-<digest>/
        manifest.json           who, when, why, from what, by which code (schemas.manifest); written last
        training.parquet        the medians it was fitted to
        forest-<feature>.skops  scikit-learn's forest
        lookup.json             the compiled model as it is published (schemas.training.ModelUpdate)
"""

from streams.registry.entry import Entry, TrainingData
from streams.registry.registry import Registry

__all__ = ["Entry", "Registry", "TrainingData"]
