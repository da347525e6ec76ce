"""The verbs of the catalogue: of products here, of variations there."""
