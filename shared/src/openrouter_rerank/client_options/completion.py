"""The lock of a thread that completes a class of options."""

import threading

from openrouter_rerank._forks import PerProcess

# Completing a class completes the classes of its fields too, in the same thread.
completion_lock = PerProcess(threading.RLock)
