"""Takes the FASTQs that the instrument has demultiplexed itself (DRAGEN BCL Convert on board)."""

from arteriole.bcl2fastq.converters.ingest.convert import IngestConverter

converter = IngestConverter()
