"""The files of the status page; app/page serves them."""
