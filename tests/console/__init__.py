"""Pages in a real browser. A package: its tests share one, closed before others begin."""
