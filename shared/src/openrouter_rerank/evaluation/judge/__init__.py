"""
Lets chat models grade what has no judgement, and lets the user check them.

1. `pool.py` chooses the documents: those that users of any plan would see.
2. `judging.py` asks the judges, with the prompt and the grades of `rubric.py`. The replies are
   kept by `grades.py`, and `grading.py` has what the judges have said.
3. `human_check.py` lets the user grade some of the documents, with a key of `single_keys.py` each,
   and `agreement.py` computes how far the judges agree with the user.
4. `judged.py` compares the plans with the grades as judgements, and adds to the verdict and the
   notes how far they can be trusted. `qrels.py` writes the grades for other programs.
"""
