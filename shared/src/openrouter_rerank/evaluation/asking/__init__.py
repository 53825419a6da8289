"""
Asks the models, and keeps each answer in a file: the only code here that sends requests.

What belongs here: which calls are made, in which order, with which client, and what is kept of
their answers. What does not belong here: metrics, plans and prices of plans. `analysis` computes
them from `scores.py`, without another call.

An evaluation asks in these steps:

1. `schedule.py` lists the calls in random order: all models for one question before the next.
2. `kept_answers.py` looks up what `matrix.py`, the SQLite file, has already.
3. `asking.py` asks what is missing, with `in_flight.py` for concurrent calls that end cleanly, and
   `estimate.py` for the price of the rest.
4. `caller.py` makes the calls, with the client of the user or its own. `chat.py` sends the requests
   to chat models, for judges.
5. `scores.py` has the answers of all calls, by document id. `total_cost.py` adds costs.

`loop_thread.py` runs all of it for synchronous callers, in a thread that Ctrl-C stops cleanly.
"""
