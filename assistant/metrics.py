"""What the server counts, for Prometheus: requests, answers, stages and memory, and never a word of a question."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from assistant.index import Manifest
from assistant.schema import Answer

# seconds: a quoting answer takes milliseconds, a chat model up to its timeout
BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second line for each figure


class Metrics:
    """The counters of one server. Safe to share between threads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)  # resident memory, processor time, open files
        self._requests = Counter(
            "jiading_requests", "请求次数，按接口和状态码", ["route", "method", "status"], registry=self._registry
        )
        self._answers = Counter("jiading_answers", "回答次数：有答案、没有答案", ["status"], registry=self._registry)
        for status in ("answered", "abstained"):
            self._answers.labels(status)
        self._refused = Counter("jiading_refused", "因为太忙而没有回答的次数", registry=self._registry)
        self._stages = Histogram(
            "jiading_stage_seconds", "各步用时；wait 是排队", ["stage"], buckets=BUCKETS, registry=self._registry
        )
        self._index = Info("jiading_index", "正在使用的索引", registry=self._registry)
        self._documents = Gauge("jiading_documents", "正在使用的索引有多少份资料", registry=self._registry)

    def gauge(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Add a figure that is read when it is asked for."""
        Gauge(name, meaning, registry=self._registry).set_function(value)

    def requested(self, route: str, method: str, status: int) -> None:
        """Count a request under its route's pattern, which holds nothing of what was asked."""
        self._requests.labels(route, method, str(status)).inc()

    def answered(self, answer: Answer) -> None:
        """Count an answer and how long each of its stages took."""
        self._answers.labels(answer.status).inc()
        for stage, ms in answer.timings_ms.items():
            self._stages.labels(stage).observe(ms / 1000)

    def waited(self, seconds: float) -> None:
        """Count how long a question stood in line."""
        self._stages.labels("wait").observe(seconds)

    def refused(self) -> None:
        """Count a question that found no room."""
        self._refused.inc()

    def text(self, manifest: Manifest) -> bytes:
        """Return all figures in Prometheus's text format; the manifest is that of the generation in service."""
        self._index.info({"generation": manifest.generation, "created": manifest.created})
        self._documents.set(manifest.documents)
        return generate_latest(self._registry)
