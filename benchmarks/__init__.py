"""Compares our packages with their peers: `make bench` writes docs/explain/benchmarks.md."""
