"""Text and measurements in, labels out."""
