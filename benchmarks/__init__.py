"""Load generator and reference servers: `python -m benchmarks --help`."""
