"""The operator's service: what a marketplace does, for a storefront, a back office or a carrier to call."""
