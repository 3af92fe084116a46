"""Trains the built-in starter model from pictures that the project renders itself."""
