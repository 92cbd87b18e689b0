"""Torch modules, one file per published architecture, and the one table that names them."""
