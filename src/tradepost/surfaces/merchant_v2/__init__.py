"""The merchant service: Merchant API v2, and the v3 token test that its callers use."""
