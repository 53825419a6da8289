"""The decisions of one call. Pure: generators and functions without I/O, clock or chance."""
