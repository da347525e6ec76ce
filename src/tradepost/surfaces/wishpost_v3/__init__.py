"""The logistics service: WishPost API v3."""
