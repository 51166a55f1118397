"""Messages as HTML: Markdown of the assistant rendered and sanitised, words of others escaped."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

import nh3
from markdown_it import MarkdownIt

from chat.sessions.types import Author, Message

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).enable(
    ["table", "strikethrough"]
)
_TAGS = {
    *("p", "br", "strong", "em", "s", "code", "pre", "blockquote", "hr", "a"),
    *("ul", "ol", "li", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
#: A text free of these has no Markdown in it; most answers are, and rendering costs 100 times more.
_MARKUP = re.compile(r"[\\`*_{}\[\]<>()#+|~!&]|^\s*(?:\d+[.)]|[-=])|^ {4}|\t|  \n", re.MULTILINE)
_HEADING = re.compile(r"<(/?)h[1256]>")


def html_of(message: Message) -> str:
    """Return the message as HTML safe to insert in a page."""
    if message.author is Author.ASSISTANT:
        return _rendered(message.text)
    return _paragraphs(message.text)


def forget_rendered() -> None:
    """Drop the rendered texts that are kept for speed."""
    _rendered.cache_clear()


@lru_cache(maxsize=2048)
def _rendered(text: str) -> str:
    if not _MARKUP.search(text):
        return _paragraphs(text)
    html = _HEADING.sub(r"<\1h3>", _markdown.render(text))
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
    ).strip()


def _paragraphs(text: str) -> str:
    blocks = re.split(r"\n\s*\n", text.strip())
    return "\n".join(
        "<p>" + "<br>\n".join(escape(line.strip()) for line in block.split("\n")) + "</p>"
        for block in blocks
        if block.strip()
    )
