"""The contained world: a named cast and its scenes, seeded, for trying things and for tests."""
