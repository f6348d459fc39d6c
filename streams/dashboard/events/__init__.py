"""Server-sent events: topics for programs that have no Kafka, each reader at its own pace.

A reader is one HTTP response. It is served out of the tail, which holds the newest records of its topics for all readers
together (``tail.py``). Who is further behind than that, because it was away or takes slowly what it is sent, is served by a
Kafka consumer of its own until it has come up to the tail (``catching_up.py``). Nothing is put into a queue for a reader: it
asks for what comes next once it has taken what came before. So it holds nobody back, and costs one chunk of memory and
what one fetch brings.

An event's id is the place of the reader in all partitions of its topics (``positions.py``). So ids need no memory of the
dashboard's, and hold over its restart.
"""
