"""DynamoDB Local, by AWS, in memory, from jars that Maven fetches."""

import http.client
from typing import ClassVar

from schemas.errors import StoreError
from streams.parts.embedded_aws import http_answers
from streams.parts.maven import class_path, jars, java
from streams.parts.part import Part


class DynamoJars(Part):
    """DynamoDB Local; ``url`` is http://host:port. Takes any credentials. Needs Java 17 and Maven."""

    name: ClassVar[str] = "DynamoDB Local"
    start_within_s: ClassVar[float] = 60.0
    error = StoreError

    def command(self, port: int) -> list[str]:
        """The server's command. All credentials and regions see the same tables."""
        found = jars("dynamodb")
        return [
            java(),
            *("-cp", class_path(found)),
            f"-Djava.library.path={found}",
            f"-Djava.io.tmpdir={self.directory}",
            "-XX:-UsePerfData",
            "-XX:+UseSerialGC",
            "-Xmx2g",  # a scan holds its pages on the heap: 512 MB ran out at 27,000 items
            "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
            *("-inMemory", "-sharedDb", "-disableTelemetry"),
            *("-port", str(port)),
        ]

    def address(self, port: int) -> str:
        """Endpoint."""
        return f"http://127.0.0.1:{port}"

    def answers(self) -> bool:
        """Whether it refuses, as it should, a request without credentials."""
        return http_answers(self.url, "/") == http.client.BAD_REQUEST
