"""Labels in DynamoDB: one item for up to a hundred and more labels of one machine and stack.

Why items are put whole, under keys that name their content
-----------------------------------------------------------
A put costs one write unit for each kilobyte begun, whatever it holds. So labels are gathered by machine and hour of event
time and put together; ``python -m bench.sink`` measures what that gives. An item for each label would be one unit each.

The sort key ends in a digest of the labels inside. From that follows all that a sink must promise:

* *The same labels written twice, in another order, or by two sinks after a rebalance*: the same item put again, nothing
  changes. No write can overwrite another's labels, not even that of a paused sink that wakes up late.
* *A crash in the middle*: labels come again from the last committed offset. Where a machine's hour is then cut in another
  place, some labels are in two items. They are equal, and every reader here counts a label once. It costs a few items.
* *Late labels and revisions of an old hour*: another item beside the first; reading merges them, and ``latest``
  leaves those that hold.
* *Several models, incidents or versions in an item*: what differs becomes a column
  (:mod:`streams.label_store.packing`). Each stack has items of its own.
* *Very large labels*: the item is cut in halves before it nears DynamoDB's 400 kB.

Nothing is read before a write and nothing is updated in place, so 25 items go in one request. The other ways were:
an update that adds each label to a map in the item is as safe, but cannot be batched and stores every label's fields by
themselves, many times the units; one put for each stretch of time under a plain key costs the same as ours, but after
a crash or for a late label it would have to read, merge and write under a condition, or lose labels.

``write`` and the packing are functions of the labels alone. When to write is the sink's business
(:mod:`streams.label_store.gathering`): waiting for others is what makes it cheap.
"""

from streams.label_store.revisions import latest
from streams.label_store.store import LabelStore, Written

__all__ = ["LabelStore", "Written", "latest"]
