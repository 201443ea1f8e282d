"""Metrics: plain numbers while they are counted, Prometheus's form only when they are read.

A process has one event loop and counts in no other thread, so that nothing has to be locked.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

# From half a millisecond, less than any call takes, to what the edge waits and a little more.
SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 4, 8)
# More series than any metric has by design: a label that grows would cost memory without end.
SERIES_MAX = 2_000
OTHER = "other"

Labels = tuple[str, ...]
Reading = Iterable[tuple[Labels, float]]


class Counter:
    """A number that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0

    def inc(self, by: float = 1) -> None:
        """Count one, or so many."""
        self.value += by


class Gauge:
    """A number that is set."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0


class Histogram:
    """How many values there were up to each bound, and their sum.

    Args:
        bounds: In ascending order; what is above the last one is counted too.
    """

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total: float = 0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """Return the bounds with how many values were not above them."""
        found, count = [], 0
        for bound, here in zip((*self._bounds, float("inf")), self.counts, strict=True):
            count += here
            found.append((_written(bound), float(count)))
        return found


Cell = TypeVar("Cell", Counter, Gauge, Histogram)


class Family(Generic[Cell]):
    """A metric: what is counted for each set of labels.

    Args:
        make: Makes what counts.
        labels: How many labels there are.
    """

    def __init__(self, make: Callable[[], Cell], labels: int) -> None:
        self._make: Callable[[], Cell] = make
        self._labels = labels
        self.cells: dict[Labels, Cell] = {}

    def of(self, *values: str) -> Cell:
        """Return what counts for these labels. Keep it where it is used for every call."""
        cell = self.cells.get(values)
        if cell is None:
            assert len(values) == self._labels
            if len(self.cells) >= SERIES_MAX:
                values = (OTHER,) * self._labels
            cell = self.cells.setdefault(values, self._make())
        return cell


class Metrics(Collector):
    """The metrics of one process; they are made once, at its start, by whoever counts."""

    def __init__(self) -> None:
        self._readers: dict[str, Callable[[], Metric]] = {}
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def add_process(self) -> None:
        """Also show what the process itself takes: CPU, memory, files, garbage collections."""
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Family[Counter]:
        """Return a new metric of numbers that only grow; its name ends in `_total`."""
        family: Family[Counter] = Family(Counter, len(labels))

        def read() -> Metric:
            metric = CounterMetricFamily(name, text, labels=labels)
            for values, cell in family.cells.items():
                metric.add_metric(values, cell.value)
            return metric

        self._add(name, read)
        return family

    def gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Family[Gauge]:
        """Return a new metric of numbers that are set."""
        family: Family[Gauge] = Family(Gauge, len(labels))
        self.reading(
            name,
            text,
            labels,
            lambda: [(values, cell.value) for values, cell in family.cells.items()],
        )
        return family

    def reading(
        self, name: str, text: str, labels: Sequence[str], read: Callable[[], Reading]
    ) -> None:
        """Add a metric that is looked up when it is read, and costs nothing before."""
        self._add(name, lambda: _gauge(name, text, labels, read()))

    def counted_elsewhere(
        self, name: str, text: str, labels: Sequence[str], read: Callable[[], Reading]
    ) -> None:
        """Add a metric that only grows, and is looked up when it is read."""

        def reader() -> Metric:
            metric = CounterMetricFamily(name, text, labels=labels)
            for values, value in read():
                metric.add_metric(values, value)
            return metric

        self._add(name, reader)

    def histogram(
        self,
        name: str,
        text: str,
        labels: Sequence[str] = (),
        *,
        bounds: tuple[float, ...] = SECONDS,
    ) -> Family[Histogram]:
        """Return a new metric of distributions, of seconds unless the bounds say otherwise."""
        family: Family[Histogram] = Family(lambda: Histogram(bounds), len(labels))

        def read() -> Metric:
            metric = HistogramMetricFamily(name, text, labels=labels)
            for values, cell in family.cells.items():
                metric.add_metric(values, cell.buckets(), cell.total)
            return metric

        self._add(name, read)
        return family

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        for read in self._readers.values():
            yield read()

    def values(self, name: str) -> Mapping[Labels, float]:
        """Return the samples of that name by their labels' values, as a scrape would see them."""
        return {
            tuple(sample.labels.values()): sample.value
            for metric in self.collect()
            for sample in metric.samples
            if sample.name == name
        }

    def _add(self, name: str, read: Callable[[], Metric]) -> None:
        assert name not in self._readers, name
        self._readers[name] = read


def _written(bound: float) -> str:
    return "+Inf" if bound == float("inf") else str(float(bound))


def _gauge(name: str, text: str, labels: Sequence[str], reading: Reading) -> Metric:
    metric = GaugeMetricFamily(name, text, labels=labels)
    for values, value in reading:
        metric.add_metric(values, value)
    return metric
