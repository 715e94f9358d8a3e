"""What Prometheus is told: counted plainly where it happens, put into its words when asked.

A counter of its own library takes a lock; recording counts in a dictionary instead.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4.removesuffix("; charset=utf-8")  # every text gets that


class Metrics:
    """One instance's counts, and what others collect. `elsewhere` tells the outcomes that another
    process counted."""

    def __init__(
        self, others: Iterable[Collector] = (), elsewhere: Callable[[], Counter[str]] = Counter
    ) -> None:
        self._elsewhere = elsewhere
        self.registry = CollectorRegistry()
        self.outcomes: Counter[str] = Counter()  # of events sent: accepted, duplicate, a Reason
        self.requests: Counter[tuple[str, int]] = Counter()  # of all others: endpoint, status
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        for other in others:
            self.registry.register(other)

    def collect(self) -> Iterator[Metric]:
        events = CounterMetricFamily(
            "endu_events", "Events sent, by what became of each.", labels=["outcome"]
        )
        for outcome, count in sorted((self.outcomes + self._elsewhere()).items()):
            events.add_metric([outcome], count)
        yield events
        requests = CounterMetricFamily(
            "endu_requests", "Other requests.", labels=["endpoint", "status"]
        )
        for (endpoint, status), count in sorted(self.requests.items()):
            requests.add_metric([endpoint, str(status)], count)
        yield requests

    def exposition(self) -> bytes:
        return generate_latest(self.registry)
