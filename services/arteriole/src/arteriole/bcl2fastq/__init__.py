"""Base calls to FASTQ, as a service."""
