"""The verbs of the logistics service: about channels and users, and about parcels."""
