"""The program beside the bare limit of its own libraries; `python -m bench`, see README.md."""
