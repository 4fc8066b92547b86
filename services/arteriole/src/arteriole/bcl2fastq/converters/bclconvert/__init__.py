"""Illumina's BCL Convert 4 as a converter, on this machine or in a container of its own.

What it is told and what it leaves follows its guides; none of Illumina's programs ran here.
"""

from arteriole.bcl2fastq.converters.bclconvert.convert import BclConvertConverter, using

__all__ = ["BclConvertConverter", "using"]
