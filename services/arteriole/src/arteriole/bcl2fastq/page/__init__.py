"""The files of the page for sample sheets; app/page serves them."""
