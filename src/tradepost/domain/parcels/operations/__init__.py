"""The verbs of the logistics service: about channels and users, about parcels, and about the shops they are for."""
