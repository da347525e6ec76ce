"""The logistics service as the generation before called it: WishPost API v2, in XML."""
