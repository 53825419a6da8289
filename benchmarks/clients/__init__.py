"""How each client is called: functions of a `Task` that return the call to measure."""
