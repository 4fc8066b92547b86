"""What would have been done, what others did, and later whether it was done as announced."""
