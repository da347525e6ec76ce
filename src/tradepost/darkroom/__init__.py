"""Where pictures are read and made anew: a process that may take little memory and little time, and nothing else.

What is inside of a picture comes from anybody. It is decoded once, here, and what is kept was encoded by us,
without anything that was not pixels. It knows no merchant, no URL and no file.
"""
