"""What answers look like on the wire: names, leaf types and left-out attributes of the reference.

Numbers and money are texts printed like a float, booleans are True and False as words, with the exceptions
that the reference's own examples make.

Views are trees without cycles, so the larger ones are kept out of the garbage collector (`gc=False`): a list of
a hundred products would otherwise set it off several times.
"""
