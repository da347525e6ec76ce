"""Markdown of our own as HTML: what declarations say, and the pages of the reference.

Whatever is in a text is escaped, but for the few things that the reference is written with: its parts to unfold.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from tradepost.wire.describe.markdown import slug

_UNFOLDING: Final = re.compile(r"<details><summary>([^<]*)</summary>\s*")
_INLINE: Final = MarkdownIt("zero").enable("backticks")

Link = Callable[[str], str]


def coded(text: str) -> Markup:
    """A text of a declaration, what stands between back-ticks in it as code."""
    return Markup(_INLINE.renderInline(text))


def document(text: str, link: Link, beside: Mapping[str, str]) -> Markup:
    """A page of Markdown; `link` says where links lead, `beside` what stands behind headings, by their anchors."""
    reader = MarkdownIt("commonmark").enable("table")
    for kind in ("html_block", "html_inline"):
        reader.add_render_rule(kind, _raw)
    for kind in ("fence", "code_block"):
        reader.add_render_rule(kind, _code)
    tokens = reader.parse(text)
    _dress(tokens, link)
    parts: list[str] = []
    begin = 0
    for at, token in enumerate(tokens):
        if token.type == "heading_close" and (more := beside.get(str(tokens[at - 2].attrs["id"]))):
            parts += [reader.renderer.render(tokens[begin : at + 1], reader.options, {}), more]
            begin = at + 1
    return Markup("".join([*parts, reader.renderer.render(tokens[begin:], reader.options, {})]))


def _dress(tokens: Sequence[Token], link: Link) -> None:
    """Give headings their anchors, tables the words of their columns (for a phone), links where they lead."""
    heads: list[str] = []
    column = 0
    for at, token in enumerate(tokens):
        match token.type:
            case "heading_open":
                token.attrs["id"] = slug(_plain(tokens[at + 1]))
            case "table_open":
                token.attrs["class"], heads = "cards", []
            case "th_open":
                token.attrs["scope"] = "col"
                heads.append(_plain(tokens[at + 1]))
            case "tr_open":
                column = 0
            case "td_open":
                token.attrs["data-label"] = heads[column]
                column += 1
        for child in token.children or ():
            if child.type == "link_open":
                child.attrs["href"] = link(str(child.attrs["href"]))


def _plain(token: Token) -> str:
    """What a person reads of a line."""
    return "".join(child.content for child in token.children or ())


def _raw(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    """HTML within Markdown: what unfolds stays, comments go, everything else is text."""
    text = tokens[at].content
    if found := _UNFOLDING.fullmatch(text):
        return f"<details><summary>{html.escape(html.unescape(found[1]))}</summary>\n"
    if text.strip() == "</details>":
        return "</details>\n"
    return "" if text.startswith("<!--") and text.rstrip().endswith("-->") else html.escape(text)


def _code(_: Any, tokens: Sequence[Token], at: int, *__: Any) -> str:
    """Lines of code, which somebody without a mouse can get into to roll them."""
    return f'<pre tabindex="0"><code>{html.escape(tokens[at].content)}</code></pre>\n'
