"""Our packages beside their peers: `make bench` runs them, and writes what they reach to docs/."""
