"""Illumina's bcl2fastq 2.20 as a converter, on this machine or in a container of its own.

Options and files are those of the bcl2fastq2 software guide (v2.20, document 15051736).
"""

from arteriole.bcl2fastq.converters.bcl2fastq.convert import Bcl2fastqConverter, using

__all__ = ["Bcl2fastqConverter", "using"]
