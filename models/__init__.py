"""The thinking, pure: no Kafka, no clock, no network, no files. Randomness and time are passed in."""
