"""WFDB records below the reader: header, sizes, signals, segments."""
