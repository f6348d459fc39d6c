"""Which partition a machine belongs to."""

from aiokafka.partitioner import murmur2


def partition_of(machine_id: str, partitions: int) -> int:
    """The partition that Kafka's default partitioner gives to a message with this key.

    >>> partition_of("well-7", 8)
    5
    """
    return int(murmur2(machine_id.encode()) & 0x7FFFFFFF) % partitions
