"""Ranks by scores that a store keeps, and requests only the others."""
