"""Where labels are printed: PDF files with barcodes and with addresses in any script that our fonts have.

A press runs in a process of its own, because a file of fifty labels is a second's work. It knows no account, no
parcel and no file: what is to stand on a label is told by whoever wants it.
"""
