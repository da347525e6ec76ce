"""The SQL of the catalogue: reading whole products, writing products, writing variations."""
