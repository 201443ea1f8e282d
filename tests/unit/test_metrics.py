"""Metrics: what is counted is what Prometheus reads, and labels do not grow without end."""

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pkg.observe.metrics import OTHER, SERIES_MAX, Metrics


def shown(metrics: Metrics) -> dict[str, dict[tuple[str, ...], float]]:
    """Return what a scrape reads, by sample and the values of its labels."""
    text = generate_latest(metrics.registry).decode()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_a_counter_adds_up() -> None:
    """Each set of labels has its own sum."""
    metrics = Metrics()
    counter = metrics.counter("x_total", "x", ("a", "b"))
    counter.of("1", "2").inc()
    counter.of("1", "2").inc(5)
    counter.of("2", "1").inc()
    assert shown(metrics)["x_total"] == {("1", "2"): 6, ("2", "1"): 1}


def test_a_histogram_counts_what_is_not_above_each_bound() -> None:
    """Buckets are cumulative, a value on a bound is not above it, and the last holds all."""
    metrics = Metrics()
    histogram = metrics.histogram("x", "x", bounds=(1, 2, 4)).of()
    for value in (0.5, 1, 1.5, 3, 9):
        histogram.observe(value)
    read = shown(metrics)
    assert read["x_bucket"] == {("1.0",): 2, ("2.0",): 3, ("4.0",): 4, ("+Inf",): 5}
    assert read["x_sum"][()] == 15
    assert read["x_count"][()] == 5


def test_a_reading_is_made_when_it_is_read() -> None:
    """What is looked up shows the value of that moment."""
    metrics, value = Metrics(), [1]
    metrics.reading("x", "x", ("a",), lambda: [(("b",), value[0])])
    assert shown(metrics)["x"] == {("b",): 1}
    value[0] = 7
    assert shown(metrics)["x"] == {("b",): 7}


def test_series_are_bounded() -> None:
    """A label that takes ever more values ends in one series for all others."""
    metrics = Metrics()
    counter = metrics.counter("x_total", "x", ("a",))
    for number in range(SERIES_MAX + 10):
        counter.of(str(number)).inc()
    read = shown(metrics)["x_total"]
    assert len(read) == SERIES_MAX + 1
    assert read[OTHER,] == 10
