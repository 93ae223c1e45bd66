"""The administration page: the corpus and its catalogue, the index, what is asked, who may do what, and how the server does."""
