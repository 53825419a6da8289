"""The version of this distribution; the three distributions carry the same number."""

__version__ = "0.1.0"
