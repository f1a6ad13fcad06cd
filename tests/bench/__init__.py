"""Measurements, each a ratio of two things measured side by side in one run: `make bench`. Nothing here is a test."""
