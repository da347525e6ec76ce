"""The operators' pages, below `/operator` at the merchant service's addresses: what the marketplace has to do."""
