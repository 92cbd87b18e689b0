import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from ecgdash.domain import MASKED, RECALIBRATED, UNCALIBRATED
from ecgdash.domain.patient import ECHO_METHODS
from ecgdash.plots.style import (
    DARK,
    LIGHT,
    LVEF_SYMBOLS,
    series_colour,
    theme_named,
    translucent,
    variant_style,
)

CONFIG = Path(__file__).parents[2] / ".streamlit" / "config.toml"
SHARED = {
    "primaryColor": "primary",
    "backgroundColor": "background",
    "secondaryBackgroundColor": "surface",
    "textColor": "ink",
    "borderColor": "line",
    "linkColor": "link",
}


def luminance(colour):
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_config_repeats_the_tokens(theme):
    section = tomllib.loads(CONFIG.read_text())["theme"][theme.name]
    assert section == {key: getattr(theme, token) for key, token in SHARED.items()}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize("token", ["ink", "muted", "link", "action"])
def test_text_contrast(theme, token):
    assert contrast(getattr(theme, token), theme.background) >= 4.5
    assert contrast(theme.ink, theme.surface) >= 4.5
    assert contrast(theme.action, theme.action_surface) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize("variant", [RECALIBRATED, UNCALIBRATED, MASKED])
def test_mark_contrast(theme, variant):
    assert contrast(series_colour(theme, variant), theme.background) >= 3.0


def test_variants_differ_without_colour():
    looks = [variant_style(name) for name in (RECALIBRATED, UNCALIBRATED, MASKED, "other")]
    for aspect in ("label", "dash", "symbol", "glyph", "shape"):
        assert len({getattr(look, aspect) for look in looks}) == len(looks)


def test_every_token_is_a_colour_and_every_method_has_a_mark():
    for theme in (LIGHT, DARK):
        for field in fields(theme):
            if field.name != "name":
                assert len(bytes.fromhex(getattr(theme, field.name)[1:])) == 3
    assert set(LVEF_SYMBOLS) == set(ECHO_METHODS)
    assert len(set(LVEF_SYMBOLS.values())) == len(LVEF_SYMBOLS)


def test_theme_by_name():
    assert theme_named("dark") is DARK
    assert theme_named("light") is LIGHT
    assert theme_named(None) is LIGHT


def test_translucent():
    assert translucent("#0072B2", 0.13) == "rgba(0,114,178,0.13)"


def test_no_colour_outside_the_tokens():
    package = Path(__file__).parents[2] / "ecgdash"
    for path in [*package.glob("plots/*.py"), *package.glob("ui/**/*")]:
        if path.suffix not in {".py", ".css", ".js"} or path.name == "style.py":
            continue
        words = path.read_text().replace("#{", "").split("#")
        hexes = [
            w[:6]
            for w in words[1:]
            if len(w) >= 6 and all(c in "0123456789abcdefABCDEF" for c in w[:6])
        ]
        assert not hexes, f"{path.name}: {hexes}"
