"""Change a broker's access lists over Kafka's protocol, which aiokafka's admin client can't."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int8, Int16, Int32, Schema, String

from monitor.kafka import BrokerSettings, consumer

#: Numbers of the protocol (https://kafka.apache.org/protocol#The_Messages_CreateAcls).
ALL, READ, WRITE, DESCRIBE = 2, 3, 4, 8
DENY, ALLOW = 2, 3
_KINDS = {"topic": 2, "group": 3}
_OPERATIONS = {"Read": READ, "Write": WRITE, "Create": 5, "Alter": 7, "Describe": DESCRIBE}
_LITERAL = 3
_ENTRY = [
    ("resource_type", Int8), ("name", String("utf-8")), ("pattern", Int8), ("principal", String("utf-8")),
    ("host", String("utf-8")), ("operation", Int8), ("permission", Int8),
]  # fmt: skip
Entry = tuple[int, str, int, str, str, int, int]


class _Created(Response):
    API_KEY, API_VERSION = 30, 1
    SCHEMA = Schema(("throttle", Int32), ("results", Array(("code", Int16), ("message", String("utf-8")))))


class _CreateV1(RequestStruct):
    API_KEY, API_VERSION, RESPONSE_TYPE = 30, 1, _Created
    SCHEMA = Schema(("creations", Array(*_ENTRY)))


class _Deleted(Response):
    API_KEY, API_VERSION = 31, 1
    SCHEMA = Schema(("throttle", Int32))  # the rest is not looked at


class _DeleteV1(RequestStruct):
    API_KEY, API_VERSION, RESPONSE_TYPE = 31, 1, _Deleted
    SCHEMA = Schema(("filters", Array(*_ENTRY)))


class _Create(Request[_CreateV1]):
    API_KEY = 30

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class(self.entries)


class _Delete(Request[_DeleteV1]):
    API_KEY = 31

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class(self.entries)


def entry(topic: str, operation: int, permission: int, user: str = "ANONYMOUS") -> Entry:
    return (_KINDS["topic"], topic, _LITERAL, f"User:{user}", "*", operation, permission)


def entries_of(command: str) -> list[Entry]:
    """What a `kafka-acls.sh --add` command line makes."""
    options = re.findall(r"--(\S+) ([^-\s]\S*)", command)
    (user,) = (value for name, value in options if name == "allow-principal")
    ((kind, resource),) = ((name, value) for name, value in options if name in _KINDS)
    return [
        (_KINDS[kind], resource, _LITERAL, user, "*", _OPERATIONS[value], ALLOW)
        for name, value in options
        if name == "operation"
    ]


async def add(broker: BrokerSettings, entries: Iterable[Entry]) -> None:
    await _ask(broker, _Create(list(entries)))


async def remove(broker: BrokerSettings, entries: Iterable[Entry]) -> None:
    await _ask(broker, _Delete(list(entries)))


async def _ask(broker: BrokerSettings, request: _Create | _Delete) -> None:
    async with consumer(broker) as client:
        answer = await client._client.send(client._client.get_random_node(), request)
    for code, message in getattr(answer, "results", ()):
        assert code == 0, message
