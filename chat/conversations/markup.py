"""Messages as HTML: Markdown of the assistant and of the application rendered and sanitised,
words of people escaped.

A customer can have the assistant repeat anything, and rendering blocks the event loop. So texts
made to be slow (a table of 2,500 characters took 2.8 s and became 590 kB) are shown unrendered.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from html import escape

import nh3
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

from chat.conversations.types import Author, Message
from chat.core.runtime import Part

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False, "breaks": True}).enable(
    ["table", "strikethrough"]
)
_TAGS = {
    *("p", "br", "strong", "em", "s", "code", "pre", "blockquote", "hr", "a"),
    *("ul", "ol", "li", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
#: A text free of these has no Markdown in it; most answers are, and rendering costs 100 times more.
_MARKUP = re.compile(
    r"[\\`*_{}\[\]<>()#+|~!&]|^[^\S\n]*(?:\d+[.)]|[-=])|^ {4}|\t|  \n", re.MULTILINE
)
_HEADING = re.compile(r"<(/?)h[1256]>")

#: Each costs up to 0.1 ms. A list of a hundred lines in bold has less.
MAX_MARKS = 800
_MARK = re.compile(r"[\\`*_\[\]<>#|~!&+\n\r-]")
#: Each that may open a link is followed to the end of its paragraph.
MAX_LINKS = 100
#: Cells of a table, those included that its short rows lack: each is an element of the page.
MAX_CELLS = 1_000
_DELIMITER_ROW = re.compile(r"^[ \t>]*[|:-][|: \t-]*$", re.MULTILINE)

#: How much rendered text is kept for speed, with the text that it was made from.
MAX_KEPT_CHARS = 8_000_000


def html_of(message: Message) -> str:
    """Return the message as HTML safe to insert in a page."""
    if message.author in (Author.ASSISTANT, Author.SYSTEM):
        return _rendered(message.text)
    return _paragraphs(message.text)


def safe_html_of(message: Message) -> SafeString:
    """Return the same for a template, which does not escape it again. Nothing else is so marked."""
    return mark_safe(html_of(message))  # noqa: S308 # nosec B308, B703


def is_rendering_due(message: Message) -> bool:
    """Whether ``html_of`` would have to render Markdown, which may take 80 ms."""
    if message.author not in (Author.ASSISTANT, Author.SYSTEM):
        return False
    return RENDERED.get().get(message.text) is None and _MARKUP.search(message.text) is not None


def keeper() -> Callable[[str, str], None]:
    """Return what keeps a text's HTML for ``html_of``, unless all was forgotten since this call:
    what is rendered elsewhere meanwhile may be of a conversation that was erased.
    """
    kept = RENDERED.get()
    times_cleared = kept.times_cleared

    def keep(text: str, html: str) -> None:
        if kept.times_cleared == times_cleared:
            kept.put(text, html)

    return keep


def forget_rendered() -> None:
    """Drop the rendered texts that are kept for speed."""
    RENDERED.get().clear()


class RenderCache:
    """HTML by the text that it was made from; past ``max_chars``, what was unused longest goes."""

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._html: OrderedDict[str, str] = OrderedDict()
        self.chars = 0
        self.times_cleared = 0

    def get(self, text: str) -> str | None:
        html = self._html.get(text)
        if html is not None:
            self._html.move_to_end(text)
        return html

    def put(self, text: str, html: str) -> None:
        if text in self._html:
            return
        self._html[text] = html
        self.chars += len(text) + len(html)
        while self.chars > self._max_chars:
            old_text, old_html = self._html.popitem(last=False)
            self.chars -= len(old_text) + len(old_html)

    def clear(self) -> None:
        self._html.clear()
        self.chars = 0
        self.times_cleared += 1


#: Rendered messages that this worker keeps for speed.
RENDERED: Part[RenderCache] = Part("rendered texts", lambda: RenderCache(MAX_KEPT_CHARS))


def _rendered(text: str) -> str:
    kept = RENDERED.get()
    html = kept.get(text)
    if html is None:
        html = render(text)
        kept.put(text, html)
    return html


def render(text: str) -> str:
    """Return Markdown as safe HTML. Nothing shared is touched: any thread may call it."""
    if not _MARKUP.search(text) or _is_costly(text):
        return _paragraphs(text)
    html = _HEADING.sub(r"<\1h3>", _markdown.render(text))
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_own,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
    ).strip()


def _own(_tag: str, name: str, value: str) -> str | None:
    """Keep a link only where it leads to this shop: whoever talks to a model chooses its words."""
    return value if name != "href" or is_own_link(value) else None


def is_own_link(href: str) -> bool:
    """Whether it is a path of this site, the site itself, or the shop's own telephone or e-mail."""
    env = settings.ENV
    if re.match(r"/(?![/\\])", href):
        return True
    if env.site_url and (href == env.site_url or href.startswith(f"{env.site_url}/")):
        return True
    phone = re.sub(r"[^\d+]", "", env.shop_phone)
    return href in {f"mailto:{env.shop_email}", f"tel:{phone}"} - {"mailto:", "tel:"}


def _is_costly(text: str) -> bool:
    """Whether rendering may hold up everybody else, for 0.1 s or more."""
    if len(_MARK.findall(text)) > MAX_MARKS or text.count("[") > MAX_LINKS:
        return True
    columns = max((row.group().count("|") for row in _DELIMITER_ROW.finditer(text)), default=0)
    return columns * text.count("\n") > MAX_CELLS


def _paragraphs(text: str) -> str:
    blocks = re.split(r"\n\s*\n", text.strip())
    return "\n".join(
        "<p>" + "<br>\n".join(escape(line.strip()) for line in block.split("\n")) + "</p>"
        for block in blocks
        if block.strip()
    )
