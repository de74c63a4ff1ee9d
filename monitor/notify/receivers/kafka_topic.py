"""Write alerts to a Kafka topic: the body of a webhook as value, the event's id as key, the message's id as header."""

from __future__ import annotations

from contextlib import AsyncExitStack

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from monitor.config import KafkaReceiver
from monitor.errors import BrokerError, DeliveryError
from monitor.kafka import BrokerSettings, producer
from monitor.notify.logbook import Handle
from monitor.notify.messages.cloudevents import body
from monitor.notify.messages.compose import Message
from monitor.notify.receivers.base import UNKNOWN, Lookup, Traits, UncertainError


class KafkaTopic:
    """Writes to one topic. A repetition after a crash has the same `id` header."""

    def __init__(self, config: KafkaReceiver, service_broker: BrokerSettings) -> None:
        self.traits = Traits(edits=True, timeout=config.timeout.total_seconds())
        self._topic = config.topic
        self._broker = BrokerSettings.from_config(config.broker) if config.broker else service_broker
        self._stack = AsyncExitStack()
        self._producer: AIOKafkaProducer | None = None

    async def deliver(self, message: Message, head: Handle | None) -> Handle | None:
        """Write the record and wait for the broker's ack."""
        sender = self._producer or await self._connected()
        key = message.event.event_id if message.event else "service"
        headers = [("id", message.id.encode()), ("content-type", b"application/cloudevents+json")]
        try:
            await sender.send_and_wait(
                self._topic, msgspec.json.encode(body(message)), key=key.encode(), headers=headers
            )
        except MessageSizeTooLargeError as error:
            raise DeliveryError("the record is too large", reason="too_large", retryable=False) from error
        except (KafkaError, OSError) as error:
            raise UncertainError(f"the broker took no record: {type(error).__name__}", reason="broker") from error
        return head or {"id": message.id}

    async def _connected(self) -> AIOKafkaProducer:
        try:
            self._producer = await self._stack.enter_async_context(producer(self._broker))
        except BrokerError as error:
            raise DeliveryError("no broker answers", reason="connect") from error
        return self._producer

    async def find(self, message: Message, head: Handle | None) -> Lookup:
        """Return UNKNOWN: the topic can't be asked. Consumers recognise a repetition by its id."""
        return UNKNOWN

    async def close(self) -> None:
        """Flush and stop the producer."""
        await self._stack.aclose()
