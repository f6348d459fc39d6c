"""The topics as one AsyncAPI 3.0 document: where messages are, by which key, for how long, and who writes them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas.published import CONTRACT_VERSION, READ, WRITTEN
from schemas.topics import TopicDeclaration, Topics, topics

#: Of the Kafka bindings, whose layout has versions of its own.
_BINDING: Final = "0.5.0"
#: Stands in an address for ``broker.topic_prefix``.
_PREFIX: Final = "{prefix}"

Document = Mapping[str, Any]


def asyncapi_text() -> str:
    """The document, as it is written to a file."""
    return json.dumps(asyncapi(topics(_PREFIX)), indent=2, ensure_ascii=False) + "\n"


def asyncapi(declared: Topics) -> Document:
    """Channels, messages and operations of ``declared``, whose names begin with ``{prefix}``."""
    messages = list(dict.fromkeys(schema for topic in declared for schema in topic.schemas))
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "wellsentry",
            "version": CONTRACT_VERSION,
            "description": "Streaming anomaly detection for oil and gas wells: readings in, labels and incidents out.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_name(topic): _channel(topic) for topic in declared},
        "operations": {name: operation for topic in declared for name, operation in _operations(topic)},
        "components": {
            "messages": {one.__name__: _message(one, topic.key) for topic in declared for one in topic.schemas},
            "schemas": _schemas(messages),
        },
    }


def _name(topic: TopicDeclaration) -> str:
    return topic.name.removeprefix(f"{_PREFIX}.")


def _channel(topic: TopicDeclaration) -> Document:
    retention = -1 if topic.retention_ms is None else topic.retention_ms
    return {
        "address": topic.name,
        "title": _name(topic),
        "description": topic.about if topic.schemas else f"{topic.about} Nobody else's business: no contract.",
        "messages": {
            message.__name__: {"$ref": f"#/components/messages/{message.__name__}"} for message in topic.schemas
        },
        "parameters": {
            "prefix": {"default": "wellsentry", "description": "The setting broker.topic_prefix, one per installation."}
        },
        "bindings": {
            "kafka": {
                "topicConfiguration": {"cleanup.policy": [topic.cleanup], "retention.ms": retention},
                "bindingVersion": _BINDING,
            }
        },
    }


def _operations(topic: TopicDeclaration) -> Iterable[tuple[str, Document]]:
    """What wellsentry does with the topic; whoever talks to it does the other."""
    for action, messages in (("receive", READ), ("send", WRITTEN)):
        found = [message.__name__ for message in topic.schemas if message in messages]
        if found:
            yield (
                f"{action}-{_name(topic)}",
                {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{_name(topic)}"},
                    "summary": f"wellsentry {'reads' if action == 'receive' else 'writes'} {' or '.join(found)}.",
                    "messages": [{"$ref": f"#/channels/{_name(topic)}/messages/{name}"} for name in found],
                },
            )


def _message(message: type[BaseModel], key: str) -> Document:
    return {
        "name": message.__name__,
        "title": message.__name__,
        "summary": " ".join((message.__doc__ or "").split()),
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{message.__name__}"},
        "bindings": {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": _BINDING}},
    }


def _schemas(messages: Iterable[type[BaseModel]]) -> Document:
    """All messages, and what they are made of, each under its own name."""
    _, found = models_json_schema(
        [(message, "validation") for message in messages], ref_template="#/components/schemas/{model}"
    )
    definitions: Document = found["$defs"]
    return definitions
