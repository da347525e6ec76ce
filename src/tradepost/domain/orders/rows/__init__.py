"""The SQL of orders."""
