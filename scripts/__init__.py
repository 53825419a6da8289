"""Programs for maintainers: they write the generated pages, and prepare a release."""
