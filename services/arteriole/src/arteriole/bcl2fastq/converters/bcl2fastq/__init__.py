"""Illumina's bcl2fastq 2.20 as a converter, on this machine or in a container of its own.

Options are those that `bcl2fastq --help` of 2.20 lists; none of Illumina's programs ran here.
"""

from arteriole.bcl2fastq.converters.bcl2fastq.convert import Bcl2fastqConverter, using

__all__ = ["Bcl2fastqConverter", "using"]
