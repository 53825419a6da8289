"""Converts between the framework's documents and what can be ranked. Nothing is read or fetched."""
