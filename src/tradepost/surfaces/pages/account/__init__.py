"""Pages about people themselves: signing up, passwords, sessions, second factors, the sandbox's mail."""
