"""Colours, marks and sizes, named once for figures and pages.

`.streamlit/config.toml` repeats the theme colours, because Streamlit reads them
there; a test compares the two. No other module holds a colour.
"""

from dataclasses import dataclass
from typing import Any, Final

from ecgdash.domain import MASKED, RECALIBRATED, UNCALIBRATED, EchoStudy

__all__ = [
    "DARK",
    "ECG_PAPER",
    "FONT_FAMILY",
    "LIGHT",
    "LVEF_SYMBOLS",
    "OTHER_MARKS",
    "TEXT_PX",
    "EcgPaper",
    "OtherMark",
    "Theme",
    "VariantStyle",
    "axis_lines",
    "lvef_symbol",
    "plain_layout",
    "series_colour",
    "text_font",
    "theme_named",
    "translucent",
    "variant_style",
]

FONT_FAMILY: Final = '"Source Sans", sans-serif'
TEXT_PX: Final = 12
"""Axis, tick and in-plot text; nothing on a page is smaller."""


@dataclass(frozen=True)
class Theme:
    """The tokens of one theme. Contrast with `background`: text >= 4.5, marks >= 3."""

    name: str
    background: str
    surface: str
    ink: str
    muted: str
    line: str
    hair: str
    link: str
    primary: str
    action: str
    action_surface: str
    notice_surface: str
    recalibrated: str
    uncalibrated: str
    masked: str
    raises: str
    lowers: str


LIGHT: Final = Theme(
    name="light",
    background="#FFFFFF",
    surface="#F3F5F7",
    ink="#17212B",
    muted="#55616D",
    line="#D5DCE3",
    hair="#E8ECF0",
    link="#1D4E79",
    primary="#2B4A66",
    action="#8A3B00",
    action_surface="#FDF1E7",
    notice_surface="#EEF1F4",
    recalibrated="#0072B2",
    uncalibrated="#D55E00",
    masked="#007F5E",
    raises="#E69F00",
    lowers="#56B4E9",
)

DARK: Final = Theme(
    name="dark",
    background="#14191F",
    surface="#1C232B",
    ink="#E4E9EE",
    muted="#A3AFBB",
    line="#36414C",
    hair="#28313A",
    link="#9CC3E6",
    primary="#41749F",
    action="#F5B07A",
    action_surface="#33241A",
    notice_surface="#212A33",
    recalibrated="#56B4E9",
    uncalibrated="#F08A3C",
    masked="#35C79A",
    # Okabe and Ito's two hues, darkened so that pale ink stays readable on them.
    raises="#83600F",
    lowers="#376B8A",
)


def theme_named(name: str | None) -> Theme:
    """Return the theme that Streamlit reports; light where it reports none."""
    return DARK if name == "dark" else LIGHT


@dataclass(frozen=True)
class VariantStyle:
    """How one variant is drawn and named; never told apart by colour alone.

    Attributes
    ----------
    label : str
        Name on the screen.
    token : str
        Field of `Theme` that holds its colour.
    dash, symbol : str
        Plotly's line dash and marker symbol.
    glyph : str
        The marker as a character, for selectors, table heads and legends.
    shape : str
        The marker's name in the style sheets.
    """

    label: str
    token: str
    dash: str
    symbol: str
    glyph: str
    shape: str


_VARIANTS: Final = {
    RECALIBRATED: VariantStyle("recalibrated", "recalibrated", "solid", "circle", "●", "circle"),
    UNCALIBRATED: VariantStyle("uncalibrated", "uncalibrated", "dash", "square", "■", "square"),
    MASKED: VariantStyle("LVEF-masked", "masked", "dot", "triangle-up", "▲", "triangle"),
}


def variant_style(variant: str) -> VariantStyle:
    """Return a variant's style; a family with other variants gets ink diamonds and its own name."""
    known = _VARIANTS.get(variant)
    return known or VariantStyle(variant, "ink", "longdash", "diamond", "◆", "diamond")


def series_colour(theme: Theme, variant: str) -> str:
    """Return the colour of a variant in a theme."""
    return str(getattr(theme, variant_style(variant).token))


@dataclass(frozen=True)
class OtherMark:
    """A hollow mark without a hue for the scores of a family that a timeline is not of.

    Attributes
    ----------
    symbol : str
        Plotly's marker symbol.
    glyph : str
        The mark as a character, for legends and tables.
    shape : str
        Its name in the worklist's script.
    """

    symbol: str
    glyph: str
    shape: str


OTHER_MARKS: Final = (
    OtherMark("triangle-down-open", "▽", "triangle-down"),
    OtherMark("star-open", "☆", "star"),
    OtherMark("triangle-right-open", "▷", "triangle-right"),
    OtherMark("bowtie-open", "⋈", "bowtie"),
)
"""Of the first, second, ... other family of a patient; told apart by shape alone. Further
families stand in the table only: more hollow marks of 10 pixels would not be told apart."""


LVEF_SYMBOLS: Final = {
    "simpson": "diamond",
    "visual": "diamond-open",
    "m-mode": "square-open",
    "unknown": "circle-open",
}


def lvef_symbol(study: EchoStudy) -> str:
    """Return the marker of an echo by its method."""
    return LVEF_SYMBOLS[study.method]


def translucent(colour: str, opacity: float) -> str:
    """Return `#RRGGBB` as `rgba(...)` with an opacity in [0, 1]."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def text_font(theme: "Theme") -> dict[str, Any]:
    """Return the font of axes and notes."""
    return {"family": FONT_FAMILY, "size": TEXT_PX, "color": theme.muted}


def axis_lines(theme: "Theme") -> dict[str, Any]:
    """Return how the lines of an axis look."""
    return {
        "gridcolor": theme.hair,
        "linecolor": theme.line,
        "zeroline": False,
        "showline": True,
    }


def plain_layout(theme: "Theme") -> dict[str, Any]:
    """Return what the layouts of all figures share: the page's colours, no legend, no dragging."""
    text = text_font(theme)
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "dragmode": False,
        "font": text,
        "hoverlabel": {
            "bgcolor": theme.background,
            "bordercolor": theme.line,
            "font": {**text, "color": theme.ink},
            "align": "left",
        },
    }


@dataclass(frozen=True)
class EcgPaper:
    """ECG paper; it stays light in the dark theme."""

    background: str = "#FFFDFC"
    line_1_mm: str = "#F8E3E1"
    line_5_mm: str = "#EBB9B5"
    trace: str = "#10161C"
    earlier: str = "#7F8B97"
    raises: str = "#E69F00"
    lowers: str = "#56B4E9"
    speed_mm_per_s: float = 25.0
    gain_mm_per_mv: float = 10.0


ECG_PAPER: Final = EcgPaper()
