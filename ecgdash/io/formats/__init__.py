"""One module per file format, all with the same surface: SUFFIXES, sniff, read."""
