"""Compare our packages with their peers. `make bench` runs this and writes docs/benchmarks.md."""
