"""Long tests under fire: `make storm SEED=7`. They write what they saw to docs/measured.json."""
