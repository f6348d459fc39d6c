"""How the outside knows us, and how we know it: TLS and SASL for Kafka, keys and roles for DynamoDB and S3.

Nobody connects another way (``tests/streams/test_access.py`` looks for it).
"""
