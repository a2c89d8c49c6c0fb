"""Ways out: each takes a message, and some can be asked what became of one."""
