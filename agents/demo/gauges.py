"""Read the metrics of the demonstration's processes from their `/metrics`, as Prometheus would."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families


class Gauges:
    """The metrics of poller and worker."""

    def __init__(self, ports: tuple[int, int]) -> None:
        self._urls = [f"http://127.0.0.1:{port}/metrics" for port in ports]
        self._samples: list[tuple[str, dict[str, str], float]] = []

    async def read(self, client: httpx.AsyncClient) -> bool:
        """Read the metrics of both processes. Returns False when one does not answer yet."""
        try:
            pages = [(await client.get(url)).raise_for_status().text for url in self._urls]
        except httpx.HTTPError:
            return False
        self._samples = [
            (sample.name, sample.labels, sample.value)
            for page in pages
            for family in text_string_to_metric_families(page)
            for sample in family.samples
        ]
        return True

    def sum(self, name: str, **labels: str) -> int:
        """Return the sum of a metric over all label sets that have these labels."""
        return int(sum(v for n, has, v in self._samples if n == name and labels.items() <= has.items()))

    def by(self, name: str, label: str) -> dict[str, int]:
        """Return the values of a metric by one of its labels, without zeros."""
        found: dict[str, int] = {}
        for n, has, value in self._samples:
            if n == name and value:
                found[has[label]] = found.get(has[label], 0) + int(value)
        return found

    @property
    def state(self) -> tuple[int, ...]:
        """Some counters; they change for as long as the service has something to do."""
        return (
            self.sum("summitry_articles_total", result="new") + self.sum("summitry_articles_total", result="changed"),
            self.sum("summitry_stage_events_total"),
            self.sum("summitry_notifications_total"),
            self.sum("summitry_notifications_pending"),
        )

    @property
    def settled(self) -> bool:
        """Whether detection has handled every article and no message waits to be sent."""
        return (
            self.sum("summitry_stage_events_total", stage="detect") >= self.state[0]
            and self.sum("summitry_consumer_lag_messages") == 0
            and self.sum("summitry_notifications_pending") == 0
        )
