"""docs/results.md, made anew from the shipped runs: ``python -m benchmarks.results``."""
