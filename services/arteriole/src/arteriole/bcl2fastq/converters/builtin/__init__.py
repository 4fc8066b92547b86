"""A converter without Illumina's licence: .bcl and .bcl.gz to FASTQ, as bcl2fastq 2.20 does it."""

from arteriole.bcl2fastq.converters.builtin.convert import BuiltinConverter

converter = BuiltinConverter()
