"""REST for programs that have no Kafka, under ``/api/v1``; a small router for each thing."""
