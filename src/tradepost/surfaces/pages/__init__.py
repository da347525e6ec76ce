"""The pages that people see in a browser, for both services: server-rendered, without scripts.

`site` is the frame (routes, sessions, languages, headers); a module beside it is a page, or a few that belong
together.
"""
