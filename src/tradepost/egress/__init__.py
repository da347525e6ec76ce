"""The only way out of the program: a process of its own that fetches what others name by URL.

Whoever can make us fetch something could make us reach what only we can reach. So there is one place that dials, it
judges the address it is about to dial and no other, and nothing that a merchant says gets past it. It knows no
merchant and no picture: it is asked for a URL and gives bytes, or says that it does not.
"""
