"""What the declarations of a surface say, as an OpenAPI document and as pages for people.

    book       what a description is made from: a surface, its chapters, where it is reached
    told       failures in the words of the surface
    schemas    the shapes of answers
    words      shapes and limits in plain words
    openapi    the document for programs, with components for what repeats in it
    curl       a call as a line for the shell
    markdown   tables, cells and anchors
    pages      one page per chapter
    index      the page before them
    older      the one page of a surface that takes XML

All of it is pure: declarations go in, text comes out. Nothing here answers a call, reads a file or knows a
surface, and examples are handed in.
"""

from tradepost.wire.describe.book import Book, Chapter, Example, OAuthPaths, operations_of
from tradepost.wire.describe.openapi import openapi, openapi_text
from tradepost.wire.describe.pages import pages

__all__ = ["Book", "Chapter", "Example", "OAuthPaths", "openapi", "openapi_text", "operations_of", "pages"]
