"""Everything that touches the outside: Kafka, DynamoDB, files, clocks, terminals."""
