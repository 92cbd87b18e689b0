"""Small pieces of static HTML: every value is escaped here, and nowhere else.

Streamlit removes inline vector graphics from static HTML, so bars are
positioned blocks. Positions come from `plots.scale`, colours from the tokens.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from html import escape
from typing import Final

import streamlit as st

from ecgdash.plots.scale import share
from ecgdash.plots.style import DARK, LIGHT, variant_style
from ecgdash.ui.components import asset
from ecgdash.ui.navigation import card_href

__all__ = [
    "Cell",
    "Column",
    "bold",
    "card_link",
    "chips",
    "csv_safe",
    "draw",
    "draw_beside",
    "element",
    "interval_mark",
    "link",
    "push_bar",
    "small",
    "style_sheet",
    "table",
    "text",
    "threshold_bar",
]


@dataclass(frozen=True)
class Column:
    """A table column; `kind` is "num" for figures, "lead" or "wide" for a card's full line."""

    title: str
    kind: str = ""


@dataclass(frozen=True)
class Cell:
    """HTML that is already safe."""

    html: str


_EMPTY: Final = Cell("")
_MARKED: Final = ' class="ed-marked"'


def draw(*parts: Cell) -> None:
    """Show safe HTML."""
    st.html("".join(part.html for part in parts))


def draw_beside(words: str) -> None:
    """Show a small muted line that takes the width left beside a widget."""
    st.html(small(words).html, width="stretch")


def text(value: object, kind: str = "") -> Cell:
    """Return a value as escaped text, in a class of the style sheet if given."""
    safe = escape(str(value))
    return Cell(f'<span class="{escape(kind)}">{safe}</span>' if kind else safe)


def bold(value: object) -> Cell:
    """Return a value in semibold."""
    return Cell(f"<b>{escape(str(value))}</b>")


def small(value: object, kind: str = "ed-muted") -> Cell:
    """Return a line of small, by default muted text."""
    return Cell(f'<div class="ed-small {escape(kind)}">{escape(str(value))}</div>')


def join(*parts: Cell | str) -> Cell:
    """Return parts one after another; plain strings are escaped."""
    return Cell("".join(p.html if isinstance(p, Cell) else escape(p) for p in parts))


def link(words: str, address: str, kind: str = "") -> Cell:
    """Return a link of our own pages, opened within the session."""
    return Cell(
        f'<a class="ed-open {escape(kind)}" target="_self" href="{escape(address)}">'
        f"{escape(words)}</a>"
    )


def card_link(
    inner: str | Cell, family: str | None, variant: str = "", *, quiet: bool = False
) -> Cell:
    """Return a number as the link to the card of the model it comes from.

    Parameters
    ----------
    inner : str or Cell
        The number, as it is shown, or words such as "Model card".
    family : str or None
        Whose number it is; None: no family's, so it is no link.
    variant : str
        Whose rows the card marks; "" for none.
    quiet : bool
        Left out of the tab order, because a link to the same card stands in the same row.
    """
    if family is None:
        return join(inner)
    look = f", {variant_style(variant).label}" if variant else ""
    return element(
        "a",
        inner,
        # Words look like a link; a number is quiet, or a table would be nothing but links.
        kind=f"ed-open {'ed-card' if _is_number(inner) else 'ed-word'}",
        target="_self",
        href=card_href(family, variant),
        title=f"Card of {family}{look}",
        tabindex="-1" if quiet else "",
    )


def _is_number(inner: str | Cell) -> bool:
    return isinstance(inner, Cell) or inner[:1].isdigit()


def chips(words: Iterable[str]) -> Cell:
    """Return outlined chips."""
    inner = "".join(f'<span class="ed-chip">{escape(word)}</span>' for word in words)
    return Cell(f'<span class="ed-chips">{inner}</span>') if inner else _EMPTY


def element(tag: str, *inner: Cell | str, **attributes: str | int) -> Cell:
    """Return an element; text and attribute values are escaped.

    Parameters
    ----------
    tag : str
        Its name, a constant of the code.
    inner : Cell or str
    attributes : str or int
        `kind` becomes the class, `data_label` "data-label"; empty ones are left out.
    """
    names = {"kind": "class"}
    told = "".join(
        f' {names.get(name, name).replace("_", "-")}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value != ""
    )
    return Cell(f"<{tag}{told}>{join(*inner).html}</{tag}>")


def table(
    name: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell | str]],
    *,
    reflows: bool = True,
    marked: Collection[int] = (),
) -> Cell:
    """Return a table.

    Parameters
    ----------
    name : str
        What a screen reader calls the table.
    columns : sequence of Column
    rows : iterable of sequences
        One cell per column; plain strings are escaped.
    reflows : bool
        Whether rows turn into labelled cards on a phone; narrow tables need not.
    marked : collection of int
        Numbers of the rows that a link led to.
    """
    kind = "ed-table ed-cards" if reflows else "ed-table ed-narrow"
    head = "".join(
        f'<th scope="col" class="{escape(column.kind)}">{escape(column.title)}</th>'
        for column in columns
    )
    body = "".join(
        f"<tr{_MARKED if i in marked else ''}>{_cells(columns, row)}</tr>"
        for i, row in enumerate(rows)
    )
    return Cell(
        f'<table class="{kind}" aria-label="{escape(name)}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cells(columns: Sequence[Column], row: Sequence[Cell | str]) -> str:
    cells = []
    for column, value in zip(columns, row, strict=True):
        inner = value.html if isinstance(value, Cell) else escape(value)
        label = "" if column.kind == "lead" else f' data-label="{escape(column.title)}"'
        cells.append(f'<td class="{escape(column.kind)}"{label}>{inner}</td>')
    return "".join(cells)


def threshold_bar(score: float, threshold: float, variant: str) -> Cell:
    """Return a score as a marker on the logit track, with its threshold as a black mark."""
    mark, level = 100.0 * share(score), 100.0 * share(threshold)
    look = variant_style(variant)
    label = f"score {score:.2f}, threshold {threshold:.2f}"
    return Cell(
        f'<span class="ed-bar" role="img" aria-label="{label}"><span class="in">'
        f'<span class="low" style="width:{level:.2f}%"></span>'
        f'<span class="high" style="left:{level:.2f}%"></span>'
        f'<span class="threshold" style="left:{level:.2f}%"></span>'
        f'<span class="mark ed-{look.shape} ed-{look.token}" style="left:{mark:.2f}%"></span>'
        f"</span></span>"
    )


def interval_mark(value: float, low: float, high: float, variant: str) -> Cell:
    """Return an estimate with its interval on a 0 to 1 track with a dashed mark at 0.50."""
    look = variant_style(variant)
    label = f"{value:.2f}, 95 % interval {low:.2f} to {high:.2f}"
    return Cell(
        f'<span class="ed-interval" role="img" aria-label="{label}"><span class="track"></span>'
        f'<span class="half"></span><span class="range ed-{look.token}" '
        f'style="left:{100 * low:.2f}%;width:{100 * (high - low):.2f}%"></span>'
        f'<span class="mark ed-{look.shape} ed-{look.token}" style="left:{100 * value:.2f}%">'
        f"</span></span>"
    )


def push_bar(logit: float, largest: float) -> Cell:
    """Return a bar that starts at a centre line; left lowers the score, right raises it."""
    width = 0.0 if largest <= 0.0 else 50.0 * min(abs(logit) / largest, 1.0)
    start = 50.0 - width if logit < 0 else 50.0
    verb = "lowers" if logit < 0 else "raises"
    return Cell(
        f'<span class="ed-push" role="img" aria-label="{verb} the logit by {abs(logit):.2f}">'
        f'<span class="fill" style="left:{start:.2f}%;width:{width:.2f}%"></span>'
        f'<span class="zero"></span></span>'
    )


def csv_safe(value: str) -> str:
    """Return text that a spreadsheet takes as text, not as a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@") else value


def style_sheet() -> Cell:
    """Return the tokens as colour pairs that follow the theme, and the style sheet."""
    names = [field.name for field in fields(LIGHT) if field.name != "name"]
    pairs = "".join(
        f"--ed-{name}:light-dark({getattr(LIGHT, name)},{getattr(DARK, name)});" for name in names
    )
    return Cell(f"<style>:root{{{pairs}}}\n{asset('page.css')}</style>")
