"""HTTP in, HTTP out. Knows no product and no order, and imports nothing of ours but `values`."""
