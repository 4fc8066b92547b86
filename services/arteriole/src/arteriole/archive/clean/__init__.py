"""Taking away the site's own copy of a run: what may go, by whose word, and how."""
