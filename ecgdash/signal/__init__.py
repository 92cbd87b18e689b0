"""Arrays in, arrays out: leads, crops, filters, beats and measurements."""
