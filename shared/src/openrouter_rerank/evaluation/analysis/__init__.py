"""
Computes what an evaluation finds from the scores: no clock, no file, no network.

`analysis.py` compares the first stage with all plans, chooses one, and returns `findings.py`: all
numbers, the recommended plan, and the verdict. What it uses:

- `calls.py` finds the calls that answered for a model, a question and a depth.
- `counted_questions.py` decides which questions count.
- `plans.py` lists the plans, and orders the documents as each plan would.
- `measures.py` computes the metrics. Only this module imports ir-measures.
- `costs.py` computes what a plan costs, and how long it takes.
- `chance.py` separates real changes from chance, for all plans together.
- `comparison.py` puts these together into a result for each plan, and chooses one.
- `threshold.py` finds the score above which documents are worth keeping.
- `verdict.py` and `notes.py` write the sentences, with the numbers of `number_formats.py`.

Random numbers come only from the seed of the settings, so the same input has the same result.
"""
