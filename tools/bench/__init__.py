"""Benchmarks against wasmtime-py: `python -m tools.bench`; docs/performance.md says how to read them."""
