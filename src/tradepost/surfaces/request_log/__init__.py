"""Takes calls down for the request log: `collecting` off their path, `redaction` without their secrets."""
