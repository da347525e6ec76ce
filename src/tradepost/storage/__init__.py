"""Where things are kept: PostgreSQL, its migrations and the server that comes with the program."""
