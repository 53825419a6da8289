"""Makes the attempts of a call: the only code that performs HTTP."""
