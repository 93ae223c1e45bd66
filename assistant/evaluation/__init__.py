"""The evaluation page: run test sets, read what went wrong, relabel, compare runs, and take questions from use."""
