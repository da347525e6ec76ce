"""The merchant's dashboard: what the API does, for people; a module is a page, or a few that belong together.

A page reads by the operations of the domain, and changes by the endpoints of the API, whose readers judge what a
form holds and whose sentences tell what is wrong with it.
"""
