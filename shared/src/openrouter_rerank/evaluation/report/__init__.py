"""
Shows the findings of an evaluation: in files, in a terminal and in a notebook.

No number is computed here. What belongs here is the choice of what is shown, and its form:

- `files.py` writes all files of a folder.
- `page/` makes the HTML report, and the part of it that a notebook shows.
- `json_result.py` makes `evaluation.json`, and `trec_runs.py` the runs.
- `rows.py` has the plans and questions as dictionaries, for CSV files and data frames.
- `terminal.py` prints the table of plans, and `progress_bars.py` shows how far the asking is.
- `selection.py` chooses the plans of short tables, and their short names.
"""
