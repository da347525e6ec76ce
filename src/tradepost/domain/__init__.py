"""What the marketplace is and does. Knows no HTTP, no JSON, no status and no sentence."""
