"""
The report of an evaluation as one HTML file, and as a part of a notebook.
"""
