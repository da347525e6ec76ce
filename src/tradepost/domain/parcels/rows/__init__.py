"""The SQL of the logistics service: channels and users, parcels and scans."""
