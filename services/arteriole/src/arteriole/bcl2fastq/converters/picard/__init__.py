"""Picard's IlluminaBasecallsToFastq as a converter: an independent check of the builtin one.

NB: not for the results of a centre. Picard 2.27.5 checks no CRC: with one flipped byte in a .bcl.gz
it ends well and writes wrong reads. It is also several times slower.
"""

from arteriole.bcl2fastq.converters.picard.convert import PicardConverter

converter = PicardConverter()
