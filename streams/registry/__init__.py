"""The registry: every model there ever was, with all that is needed to make and to judge it again.

One entry is one directory, in a directory of files or in S3::

    <client>/<machine>/<stack>/<UTC time>-<digest>/
        manifest.json           who, when, why, from what, by which code (schemas.manifest); written last
        training.parquet        the medians it was fitted to
        forest-<feature>.skops  scikit-learn's forest
        lookup.json             the compiled model as it is published (schemas.training.ModelUpdate)
        state.bin               the machine's whole state (models.engine.snapshots) up to the manifest's state_offset
        plot.py                 draws the model from these files alone
    <client>/<machine>/<stack>/activations/<UTC time>-<digest>.json   who put an older one in force, and why
"""

from streams.registry.entry import Entry, TrainingData
from streams.registry.registry import Registry

__all__ = ["Entry", "Registry", "TrainingData"]
