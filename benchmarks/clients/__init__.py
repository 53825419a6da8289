"""For each client, functions that take a `Task` and return the call to measure."""
