"""The formats and rules of Illumina runs; knows no web and no store."""
