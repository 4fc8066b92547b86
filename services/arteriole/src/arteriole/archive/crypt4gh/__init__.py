"""Crypt4GH, GA4GH's form of encrypted files (samtools.github.io/hts-specs/crypt4gh.pdf, 1.0)."""
