"""What can be wrong with a sample sheet, one small rule each; table.py lists them all."""
