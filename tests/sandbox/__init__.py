"""The sandbox: what it makes up, and what can be done to its world."""
