"""A whole centre on one machine: for the demo, for `make up`, and for the end-to-end tests."""
