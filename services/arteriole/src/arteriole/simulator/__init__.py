"""A sequencer that writes genuine run folders, and the judge of what was made of them.

NB: nothing here imports the converter or the formats room: the two must be able to disagree.
"""
