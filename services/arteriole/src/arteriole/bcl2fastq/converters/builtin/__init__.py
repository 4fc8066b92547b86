"""A converter without Illumina's licence: base calls to FASTQ, as bcl2fastq 2.20 does it."""

from arteriole.bcl2fastq.converters.builtin.convert import BuiltinConverter

converter = BuiltinConverter()
