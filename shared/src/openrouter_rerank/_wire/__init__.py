"""What is sent and what is received, as bytes. Pure functions between values and bytes."""
