"""The parts a laptop has not got, started as child processes: a broker, DynamoDB, S3.

Each is a context manager with ``url``, listens on a free port of 127.0.0.1, keeps its files in a directory of its own
that goes with it, and ends with the process that started it, however that ends::

    from streams.parts.embedded_broker import EmbeddedBroker

    with EmbeddedBroker() as broker:
        print(broker.url)

| part | what it is | needs |
|---|---|---|
| :class:`~streams.parts.embedded_broker.EmbeddedBroker` | a Kafka-speaking broker for a first look | pip alone |
| :class:`~streams.parts.embedded_aws.EmbeddedAws` | DynamoDB and S3 for a first look | pip alone |
| :class:`~streams.parts.kafka_jars.KafkaJars` | Apache Kafka itself, one node | Java 17, Maven |
| :class:`~streams.parts.dynamodb_jars.DynamoJars` | DynamoDB Local, by AWS | Java 17, Maven |

By hand: ``python -m streams.parts kafka``.
"""
