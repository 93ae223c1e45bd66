"""The reply page: read a letter, edit the draft of its reply, have it reviewed, keep every version, export it."""
