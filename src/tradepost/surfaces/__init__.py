"""The ways in: one folder each, with files named after the chapters of its reference."""
