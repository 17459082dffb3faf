"""What a notebook shows, as safe and accessible pieces of a page.

Respondents' own words may stand in any table or text. Everything that becomes HTML goes
through an allow-list here, and nothing else on the way to the page marks it as safe.
"""

from __future__ import annotations

import ast
import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import bleach
import mistune
from bs4 import BeautifulSoup, Tag
from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbformat import NotebookNode

Kind: TypeAlias = Literal[
    "prose", "code", "html", "statement", "text", "figure", "warning", "error"
]

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_IMAGES = ("image/png", "image/jpeg", "image/svg+xml", "image/gif")
_KEPT = """
    table caption thead tbody tfoot tr th td p div span br hr h2 h3 h4 h5 h6 ul ol li
    dl dt dd blockquote pre code kbd samp a strong em b i u s del sub sup abbr small
    mark section img
"""
_DROPPED = "script style template noscript iframe object embed svg math head title"
_ATTRIBUTES = {
    "a": ["href", "title", "id"],
    "abbr": ["title"],
    "div": ["class", "role", "tabindex", "aria-label"],
    "h2": ["id"],
    "h3": ["id"],
    "h4": ["id"],
    "h5": ["id"],
    "h6": ["id"],
    "img": ["src", "alt"],
    "ol": ["start"],
    "td": ["class", "colspan", "rowspan"],
    "th": ["class", "colspan", "rowspan", "scope"],
}
_NUMBER = re.compile(
    r"^[<>=≤≥]?\s?[-+\u2212]?[\d,]*\.?\d+(?:e[-+]?\d+)?\s?%?$", re.IGNORECASE
)
_LINK = re.compile(r"https?://|mailto:|#", re.IGNORECASE)
#: Text from this length on needs a wide column.
_WORDS = 40
_ABSENT = {"", "NaN", "None", "<NA>", "NaT", "\u2013"}
_OBJECT = re.compile(r"^<[\w.]+(?: object)? at 0x[0-9a-f]+>$")
_AXES = re.compile(r"(?=<\w*Axes\w*:)")
_AXES_ONLY = re.compile(r"(?:array\(|[\[(\s])*<\w*Axes\w*:")
_LABEL = r"{name}=('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a page.

    Attributes
    ----------
    kind
        How it is shown.
    text
        Plain text; the template escapes it.
    html
        Safe markup, for ``prose``, ``html`` and ``code``.
    source, alt
        Data URI and alternative text of a figure.
    """

    kind: Kind
    text: str = ""
    html: Markup = field(default_factory=Markup)
    source: str = ""
    alt: str = ""


@dataclass(slots=True, eq=False)
class Outline:
    """The headings of a page as they come: levels without gaps, ids without doubles.

    Attributes
    ----------
    shift
        How many levels the notebook's own headings stand too high for a page that has
        its title already.
    entries
        Level, id and text of every heading so far.
    """

    shift: int = 0
    entries: list[tuple[int, str, str]] = field(default_factory=list)
    _opened: bool = False
    _tables: int = 0

    def add(self, level: int, text: str) -> tuple[int, str] | None:
        """Place a heading; None for the notebook's title, which the page has."""
        if not self._opened and level == 1:
            self._opened = True
            return None
        self._opened = True
        last = self.entries[-1][0] if self.entries else 1
        placed = max(2, min(level + self.shift, last + 1, 6))
        slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"
        taken = {one for _, one, _ in self.entries} | {"content", "provenance"}
        name, number = slug, 1
        while name in taken:
            number += 1
            name = f"{slug}-{number}"
        self.entries.append((placed, name, text))
        return placed, name

    @property
    def nearest(self) -> str:
        """Text of the last heading; empty before the first."""
        return self.entries[-1][2] if self.entries else ""

    def table(self, caption: str) -> str:
        """Name the next table for people who do not see it."""
        self._tables += 1
        about = caption or self.nearest
        return f"Table {self._tables}" + (f": {about}" if about else "")


class _Renderer(mistune.HTMLRenderer):
    """Markdown with headings placed by an `Outline`, raw HTML escaped."""

    def __init__(self, outline: Outline, attachments: Mapping[str, Any]) -> None:
        super().__init__(escape=True)
        self.outline = outline
        self.attachments = attachments

    def heading(self, text: str, level: int, **attrs: Any) -> str:  # noqa: ANN401, ARG002
        placed = self.outline.add(level, Markup(text).striptags())  # noqa: S704 (only for its text)
        if placed is None:
            return ""
        level, name = placed
        return f'<h{level} id="{name}">{text}</h{level}>\n'

    def image(self, text: str, url: str, title: str | None = None) -> str:  # noqa: ARG002
        bundle = self.attachments.get(url.removeprefix("attachment:"), {})
        for kind in _IMAGES:
            if url.startswith("attachment:") and kind in bundle:
                source = _data_uri(kind, bundle[kind])
                return f'<img src="{source}" alt="{escape(text)}">'
        return str(escape(f"[{text}]"))


def markdown(
    text: str, outline: Outline, attachments: Mapping[str, Any] | None = None
) -> Markup:
    """Turn Markdown into safe markup; raw HTML in it is shown as text."""
    renderer = _Renderer(outline, attachments or {})
    plugins = ["table", "strikethrough", "footnotes"]
    turned = mistune.create_markdown(renderer=renderer, plugins=plugins)(text)
    return _safe(_accessible(str(turned), outline))


def code(source: str) -> Block:
    """Show Python source with its syntax marked."""
    marked = highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))
    return Block("code", text=source, html=Markup(marked))  # noqa: S704 (pygments escapes)


def blocks(outputs: Sequence[NotebookNode], outline: Outline) -> Iterator[Block]:
    """Turn what a cell showed into blocks.

    The text form of matplotlib's axes is not shown: it says what the figure beside it
    is about, and becomes its alternative text.
    """
    images = sum(_image(one) is not None for one in outputs)
    told = [_axes(_plain(one)) for one in outputs]
    alt = " ".join(filter(None, told)) or outline.nearest
    shown = 0
    for output in outputs:
        if found := _image(output):
            shown += 1
            number = f"Figure {shown} of {images}" if images > 1 else "Figure"
            kind, data = found
            whole = f"{number}: {alt}" if alt else number
            yield Block("figure", source=_data_uri(kind, data), alt=whole)
        else:
            yield from _block(output, outline, pictured=images > 0)


def _block(
    output: NotebookNode, outline: Outline, *, pictured: bool
) -> Iterator[Block]:
    kind = output.output_type
    if kind == "stream":
        shown: Kind = "warning" if output.name == "stderr" else "text"
        if text := _ANSI.sub("", output.text).strip("\n"):
            yield Block(shown, text=text)
        return
    if kind == "error":
        trace = "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
        yield Block("error", text=_ANSI.sub("", trace))
        return
    data = output.get("data", {})
    if "text/html" in data:
        yield Block("html", html=_safe(_accessible(_text(data["text/html"]), outline)))
    elif "text/markdown" in data:
        yield Block("prose", html=markdown(_text(data["text/markdown"]), outline))
    else:
        yield from _plain_block(_plain(output), pictured=pictured)


def _plain_block(text: str, *, pictured: bool) -> Iterator[Block]:
    if not text or _axes(text) is not None or text.startswith("<Figure size"):
        return
    if pictured and (_OBJECT.match(text) or "<Axes" in text):
        return
    said = _spoken(text)
    if said is None:
        yield Block("text", text=_ANSI.sub("", text))
    elif "\n" in said:
        yield Block("text", text=said)
    else:
        yield Block("statement", text=said)


def _spoken(text: str) -> str | None:
    """Give back the string whose Python spelling `text` is, if it is one."""
    if text[:1] not in {"'", '"', "("}:
        return None
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def _plain(output: NotebookNode) -> str:
    return _text(output.get("data", {}).get("text/plain", "")).strip()


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def _axes(text: str) -> str | None:
    """Say in words what matplotlib's axes show; None if `text` is none of theirs."""
    if not _AXES_ONLY.match(text):
        return None
    return " ".join(filter(None, map(_one_axes, _AXES.split(text)[1:])))


def _one_axes(text: str) -> str:
    titles = re.search(r"title=(\{.*?\})(?=,\s*\w+=|>)", text, re.DOTALL)
    said: list[str] = []
    if titles:
        try:
            read = ast.literal_eval(titles.group(1))
        except (ValueError, SyntaxError):
            read = {}
        said = [" ".join(str(one).split()) for one in read.values() if one]
    for name, word in (("xlabel", "horizontal axis"), ("ylabel", "vertical axis")):
        if label := re.search(_LABEL.format(name=name), text):
            said.append(f"{word}: {' '.join(str(ast.literal_eval(label[1])).split())}")
    ended = (one if one.endswith((".", "!", "?")) else f"{one}." for one in said)
    return " ".join(one[0].upper() + one[1:] for one in ended)


def _image(output: NotebookNode) -> tuple[str, str | list[str]] | None:
    data = output.get("data", {})
    for kind in _IMAGES:
        if kind in data and "text/html" not in data:
            return kind, data[kind]
    return None


def _data_uri(kind: str, data: str | list[str]) -> str:
    text = _text(data)
    if kind == "image/svg+xml":
        text = base64.b64encode(text.encode()).decode()
    return f"data:{kind};base64,{''.join(text.split())}"


def _safe(html: str) -> Markup:
    """Keep only tags, attributes and addresses of the allow-list."""
    clean = bleach.clean(
        html,
        tags=_KEPT.split(),
        attributes=_allowed,
        protocols={"http", "https", "mailto", "data"},
        strip=True,
        strip_comments=True,
    )
    return Markup(clean)  # noqa: S704 (just cleaned)


def _allowed(tag: str, name: str, value: str) -> bool:
    if tag == "img":
        return name == "alt" or (name == "src" and value.startswith("data:image/"))
    if name == "href":
        return _LINK.match(value) is not None
    if name == "class":
        return value in {"scroll", "number", "absent", "number absent"}
    return name in _ATTRIBUTES.get(tag, ())


def _accessible(html: str, outline: Outline) -> str:
    """Drop what never belongs on a page and give tables their headers."""
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all(_DROPPED.split()):
        tag.decompose()
    for tag in soup.find_all("h1"):
        tag.name = "h2"
    for table in soup.find_all("table"):
        _table(table)
        caption = table.find("caption")
        name = outline.table(caption.get_text(" ", strip=True) if caption else "")
        label = {
            "class": "scroll",
            "role": "group",
            "tabindex": "0",
            "aria-label": name,
        }
        table.wrap(soup.new_tag("div", attrs=label))
    return str(soup)


def _table(table: Tag) -> None:
    _merge_header(table)
    _drop_counting(table)
    for cell in table.find_all(["th", "td"]):
        text = cell.get_text(" ", strip=True)
        kept = {key: cell[key] for key in ("colspan", "rowspan") if cell.get(key)}
        cell.attrs = kept
        if cell.name == "th" and not text:
            cell.name = "td"
        elif cell.name == "th":
            cell["scope"] = _scope(cell)
        elif text in _ABSENT:
            cell["class"] = "absent"
        if _NUMBER.match(text):
            cell["class"] = "number"
        elif len(text) > _WORDS:
            cell["class"] = "words"
    _align(table)
    _say_empty(table)


def _say_empty(table: Tag) -> None:
    """Say in words that a table has no rows."""
    head, body = table.find("thead"), table.find("tbody")
    if not head or not body or body.find("tr"):
        return
    width = len(head.find_all(["th", "td"]))
    text = f'<tr><td colspan="{width}" class="absent">none</td></tr>'
    body.append(BeautifulSoup(text, "html.parser"))


def _scope(cell: Tag) -> str:
    if cell.find_parent("thead"):
        return "colgroup" if int(str(cell.get("colspan", "1"))) > 1 else "col"
    return "rowgroup" if int(str(cell.get("rowspan", "1"))) > 1 else "row"


def _drop_counting(table: Tag) -> None:
    """Drop a first column that only counts rows, or is empty, and has no heading."""
    rows = [row.find_all(["th", "td"]) for row in table.find_all("tr")]
    head, body = rows[:1], rows[1:]
    if not body or any(not row or row[0].name != "th" for row in body):
        return
    if not head[0] or head[0][0].get_text(strip=True):
        return
    counts = [row[0].get_text(strip=True) for row in body]
    if counts in ([str(i) for i in range(len(body))], [""] * len(body)):
        for row in rows:
            row[0].decompose()


def _merge_header(table: Tag) -> None:
    """Pull the row in which pandas names the index up into the empty corner above."""
    head = table.find("thead")
    rows = head.find_all("tr") if head else []
    if len(rows) != 2:  # noqa: PLR2004
        return
    above, below = (row.find_all(["th", "td"]) for row in rows)
    names = [cell.get_text(strip=True) for cell in below]
    width = next((i for i, name in enumerate(names) if not name), len(names))
    corner = [cell.get_text(strip=True) for cell in above[:width]]
    spans = any(cell.get("colspan") for cell in above)
    if not width or any(names[width:]) or any(corner) or spans:
        return
    for cell, name in zip(above, names[:width], strict=False):
        cell.string = name
    rows[1].decompose()


def _align(table: Tag) -> None:
    """Set the header of a column of numbers over its numbers."""
    head, body = table.find("thead"), table.find("tbody")
    merged = table.select_one("[colspan], [rowspan]")
    if not head or not body or merged:
        return
    rows = [row.find_all(["th", "td"]) for row in body.find_all("tr")]
    for row in head.find_all("tr"):
        for position, cell in enumerate(row.find_all(["th", "td"])):
            column = [one[position] for one in rows if len(one) > position]
            classes = [one.get("class") for one in column if one.get("class")]
            if "number" not in classes or len(classes) < len(column):
                continue
            cell["class"] = "number"
            for one in column:
                if one.get("class") == "absent":
                    one["class"] = "number absent"
