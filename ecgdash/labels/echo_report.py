"""LVEF and what stands beside it in the free text of an echo report, each with the span read.

A number counts only where the text gives it to the left ventricular ejection fraction now:
numbers of the right ventricle or the atrium, dimensions, pressures, fractional shortening,
reference ranges, conditions ("if LVEF < 35 %") and earlier values ("was 35 % in 2019") do not.
Of several values one is chosen by the study's order, Simpson (biplane), M-mode, visual (paper
000, "Outcomes"); a range is read as its midpoint. English only, our choice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ecgdash.domain.patient import EchoMethod

__all__ = ["EchoReport", "FoundText", "LvefReading", "read_echo_report"]

_TERM: Final = re.compile(
    r"(?<![A-Za-z])(?:l\.?\s?v\.?\s?e\.?\s?f\.?|e\.?f\.?|"
    r"(?:lv|left ventric(?:ular|le)(?:'s)?)?\s*(?:systolic )?ejection[ -]?fraction)(?![A-Za-z])",
    re.IGNORECASE,
)
_OTHER_CHAMBER: Final = re.compile(
    r"(?:\bR\.?V\.?|\bright ventric(?:ular|le)|\bL\.?A\.?|\bleft atri(?:al|um)|\bRA"
    r"|\bLAA|\batrial|\bemptying)[\s'-]*(?:systolic\s+)?$",
    re.IGNORECASE,
)
_VALUE: Final = re.compile(
    r"(?P<sign><=|>=|=<|=>|[<>≤≥]|\bless than\b|\bgreater than\b|\bmore than\b|\bat least\b"
    r"|\bbelow\b|\babove\b)?\s*(?P<low>\d{1,3}(?:\.\d+)?)\s*(?P<percent>%|percent\b|pct\b)?"
    r"(?:\s*(?:-|–|—|to|and|\+/-|±)\s*(?P<high>\d{1,3}(?:\.\d+)?)\s*(?P<percent2>%|percent\b)?)?",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(
    r"[\s:=~,;()\[\]*_.-]|\b(?:is|was|of|at|to|be|by|as|the|an?|on|in|and|with|this|study|today"
    r"|now|currently|current|approximately|approx|about|around|roughly|circa|ca|near|estimated"
    r"|est|calculated|calc|measured|measures|measuring|measurement|computed|quantified|reported"
    r"|visually|visual|eyeball(?:ed)?|estimate|estimation|assessment|method|using|via|from|biplane"
    r"|bi-plane|simpson'?s?|modified|rule|mod|disk|disc|disks|discs|summation|m-mode|mmode"
    r"|teichholz|teich|2d|3d|2-d|3-d|volumetric|linear|range|between|remains|remained|appears|seems"
    r"|overall|global|mildly|moderately|severely|normal|low|reduced|depressed|preserved|impaired"
    r"|decreased|declined|fallen|risen|recovered|bp|hyperdynamic|improved|increased|unchanged|stable|value|result|percent|lvef|ef"
    r"|lv|left|ventricular|systolic|function|which|that|has|had|been)\b",
    re.IGNORECASE,
)
_LONGEST_GAP: Final = 90
_LEADING: Final = re.compile(
    r"(?P<low>\d{1,2}(?:\.\d+)?)\s*(?:%|percent)?"
    r"(?:\s*(?:-|–|—|to)\s*(?P<high>\d{1,2}(?:\.\d+)?))?\s*(?:%|percent)"
    r"\s*(?:lv|left ventricular)?\s*$",
    re.IGNORECASE,
)
_REFERENCE: Final = re.compile(
    r"[(\[](?=[^)\]]*\d)[^)\]]*(?:normal|ref|range|nl\b|[<>≤≥]=?\s*\d)[^)\]]*[)\]]"
    r"|[(\[]\s*\d{2}\s*[-–]\s*\d{2}\s*%?\s*[)\]](?=\s*[:=])",
    re.IGNORECASE,
)
_EARLIER: Final = re.compile(
    r"\b(?:prior|previous(?:ly)?|earlier|former(?:ly)?|past|last|old|baseline|compared|comparison"
    r"|history|historical(?:ly)?|outside|known)\b",
    re.IGNORECASE,
)
_WAS: Final = re.compile(r"\b(?:was|had been)\b", re.IGNORECASE)
_DATED: Final = re.compile(
    r"^[^.;]{0,30}?\b(?:in|on|dated|from)\s+(?:\w+\s+)?(?:\d{1,2}[/.-]\d{1,2}[/.-])?(?:19|20)\d{2}\b"
    r"|^[^.;]{0,20}?\b(?:months?|years?|weeks?|days?) ago\b"
    r"|^\s*%?\s*[(\[](?:prior|previous|\d{1,2}/|(?:19|20)\d{2}\s*[)\]])",
    re.IGNORECASE,
)
_CHANGE: Final = re.compile(
    r"\bfrom\s+(?:an?\s+)?(?:(?:lv)?ef\s+of\s+)?(?P<old>\d{1,2}(?:\.\d+)?\s*%?"
    r"(?:\s*[-–]\s*\d{1,2}\s*%?)?)\s+(?:to|now)\b",
    re.IGNORECASE,
)
_CONDITION: Final = re.compile(
    r"\b(?:if|when(?:ever)?|unless|criteri(?:a|on)|threshold|cut-?off|goal|target|indicated|trial"
    r"|definition|defined|patients with|guideline|recommend\w*|consider|risk of|should)\b",
    re.IGNORECASE,
)
_DENIED: Final = re.compile(
    r"\b(?:not|unable to|cannot|could not|can't|non-?diagnostic|no)\b[^.;]{0,40}$", re.IGNORECASE
)
_METHODS: Final[tuple[tuple[EchoMethod, re.Pattern[str]], ...]] = (
    (
        "simpson",
        re.compile(
            r"simpson|bi-?plane|\bmod\b|method of (?:discs|disks)|summation of dis", re.IGNORECASE
        ),
    ),
    ("m-mode", re.compile(r"\bm[ -]?mode|teich(?:h?olz)?|\blinear\b", re.IGNORECASE)),
    ("visual", re.compile(r"visual|eye-?ball|\bestimat|\bappears\b", re.IGNORECASE)),
)
_WALL_MOTION: Final = re.compile(
    r"\b(?:wall motion|hypokine\w+|akine\w+|dyskine\w+|aneurysm\w*)\b", re.IGNORECASE
)
_PULMONARY: Final = re.compile(
    r"\b(?:RVSP|PASP|SPAP|sPAP|(?:right ventricular|pulmonary artery) systolic pressure)\b"
    r"[^.;\n]{0,60}?\d{1,3}(?:\s*[-–]\s*\d{1,3})?\s*(?:mm ?Hg)?",
    re.IGNORECASE,
)
_SENTENCE_END: Final = re.compile(r"(?<!\b[A-Z])[.;!?](?=\s|$)|\n")
_LONGEST_SENTENCE: Final = 1_000
"""Longer ones are cut: a text of one endless sentence must not take minutes."""
_SAME_VALUE: Final = 5.0
"""Values of one method that differ by more contradict each other (points of LVEF, our choice)."""


@dataclass(frozen=True)
class FoundText:
    """A stretch of the report: `text` is report[start:stop]."""

    text: str
    start: int
    stop: int


@dataclass(frozen=True)
class LvefReading:
    """One LVEF that the report states for now.

    Attributes
    ----------
    percent : float
        (1, 100], lower is worse; the midpoint of a range, the bound of "> 55 %".
    method : {"simpson", "m-mode", "visual", "unknown"}
    bound : str
        "<" or ">" where only a bound is stated; else empty.
    span : FoundText
        From the name to the number.
    """

    percent: float
    method: EchoMethod
    bound: str
    span: FoundText


@dataclass(frozen=True)
class EchoReport:
    """What one report says.

    Attributes
    ----------
    lvef : LvefReading or None
        The value chosen; None if there is none, or if values of the best method contradict
        each other.
    readings : tuple of LvefReading
        All values, in the order of the text.
    wall_motion, pulmonary_pressure : tuple of FoundText
        As written.
    remark : str
        Why there is no LVEF, or what had to be decided; empty: nothing.
    """

    lvef: LvefReading | None
    readings: tuple[LvefReading, ...]
    wall_motion: tuple[FoundText, ...]
    pulmonary_pressure: tuple[FoundText, ...]
    remark: str = ""


def read_echo_report(text: str) -> EchoReport:
    """Read one report."""
    sentences = list(_sentences(text))
    readings = tuple(dict.fromkeys(found for span in sentences for found in _readings(text, span)))
    lvef, remark = _chosen(readings)
    wall = tuple(_whole(text, span) for span in sentences if _WALL_MOTION.search(text, *span))
    pressure = tuple(
        _found(match) for span in sentences for match in _PULMONARY.finditer(text, *span)
    )
    return EchoReport(lvef, readings, wall, pressure, remark)


def _found(match: re.Match[str]) -> FoundText:
    text = match.group()
    start = match.start() + len(text) - len(text.lstrip())
    return FoundText(text.strip(), start, start + len(text.strip()))


def _chosen(readings: tuple[LvefReading, ...]) -> tuple[LvefReading | None, str]:
    if not readings:
        return None, "no LVEF of this study is stated"
    for method in ("simpson", "m-mode", "visual", "unknown"):
        own = [reading for reading in readings if reading.method == method]
        if not own:
            continue
        values = [reading.percent for reading in own]
        if max(values) - min(values) > _SAME_VALUE:
            shown = ", ".join(f"{value:g}" for value in values)
            return None, f"values of one method ({method}) contradict each other: {shown} %"
        exact = next((reading for reading in own if not reading.bound), own[0])
        remark = (
            f"only a bound is stated ({exact.bound} {exact.percent:g} %)" if exact.bound else ""
        )
        return exact, remark
    return None, ""


def _whole(text: str, span: tuple[int, int]) -> FoundText:
    """Return a sentence without its stop and the space around it."""
    words = text[slice(*span)]
    start = span[0] + len(words) - len(words.lstrip())
    stripped = words.strip().rstrip(".;!?")
    return FoundText(stripped, start, start + len(stripped))


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield where sentences and lines start and stop; none is longer than a limit."""
    start = 0
    for end in (*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)):
        for part in range(start, end, _LONGEST_SENTENCE):
            yield part, min(end, part + _LONGEST_SENTENCE)
        start = end


def _readings(text: str, sentence: tuple[int, int]) -> Iterator[LvefReading]:
    for term in _TERM.finditer(text, *sentence):
        before = text[sentence[0] : term.start()]
        if _OTHER_CHAMBER.search(before) or _is_condition(before):
            continue
        yield from _after(text, term, sentence)
        leading = _LEADING.search(before)
        if leading and not _earlier(text, sentence, sentence[0] + leading.start(), term.end()):
            start = sentence[0] + leading.start("low")
            reading = _reading(text, leading, FoundText("", start, term.end()), sentence)
            if reading is not None:
                yield reading


def _after(text: str, term: re.Match[str], sentence: tuple[int, int]) -> Iterator[LvefReading]:
    """Yield the value that follows the name, past a reference range and words of the trade."""
    start, at = term.start(), term.end()
    while at < sentence[1] and at - term.end() <= _LONGEST_GAP:
        reference = _REFERENCE.match(text, at, sentence[1])
        if reference:
            at = reference.end()
            continue
        change = _CHANGE.match(text, at, sentence[1])
        if change:
            at = change.end()
            continue
        value = _VALUE.match(text, at, sentence[1])
        if value and value.group("low"):
            if _earlier(text, sentence, start, value.end()):
                now = _now_after(text, value.end(), sentence[1])
                if now is not None:
                    start = at = now
                    continue
            else:
                span = FoundText("", start, value.end())
                reading = _reading(text, value, span, sentence)
                if reading is not None:
                    yield reading
            return
        between = _BETWEEN.match(text, at, sentence[1])
        if between is None:
            return
        at = between.end()


def _now_after(text: str, at: int, stop: int) -> int | None:
    """Return where the value of today follows one of another day ("was 25 %, now 40 %")."""
    found = re.compile(r"[^.;]{0,40}?\b(?:now|currently|today)\b", re.IGNORECASE).match(
        text, at, stop
    )
    return found.end() if found else None


def _reading(
    text: str, value: re.Match[str], span: FoundText, sentence: tuple[int, int]
) -> LvefReading | None:
    low = float(value.group("low"))
    high_text = value.group("high")
    percent = (low + float(high_text)) / 2.0 if high_text else low
    if high_text and "±" in value.group() or "+/-" in value.group():
        percent = low
    groups = value.groupdict()
    is_fraction = 0.0 < percent < 1.0 and not groups.get("percent")
    percent = percent * 100.0 if is_fraction else percent
    if not 5.0 <= percent <= 90.0:  # our choice: no report states less or more of a living heart
        return None
    stop = span.stop - (len(value.group()) - len(value.group().rstrip()))
    words = text[span.start : stop]
    return LvefReading(
        round(percent, 2),
        _method(text, span.start, stop, sentence),
        _bound(groups.get("sign") or ""),
        FoundText(words, span.start, stop),
    )


def _bound(sign: str) -> str:
    folded = sign.lower()
    if folded.startswith(("<", "=<", "≤", "less", "below")):
        return "<"
    return ">" if folded else ""


def _method(text: str, start: int, stop: int, sentence: tuple[int, int]) -> EchoMethod:
    """Return the method named nearest to a value: within it, then after it, then before it."""
    following = re.split(r"[,;]|\band\b|\bwhile\b|\bvs\b", text[stop : sentence[1]])[0]
    for stretch in (text[start:stop], following, text[sentence[0] : start]):
        for method, pattern in _METHODS:
            if pattern.search(stretch):
                return method
    return "unknown"


def _is_condition(before: str) -> bool:
    return bool(_CONDITION.search(before) or _DENIED.search(before))


def _earlier(text: str, sentence: tuple[int, int], start: int, stop: int) -> bool:
    """Whether a value belongs to another day."""
    clause = re.split(r"[,;:]|\bbut\b|\bnow\b|\bcurrently\b|\btoday\b", text[sentence[0] : start])[
        -1
    ]
    inside = text[start:stop]
    after = text[stop : min(sentence[1], stop + 60)]
    if _CHANGE.search(inside):
        return False
    if _EARLIER.search(clause) or _EARLIER.search(inside):
        return True
    if _DATED.match(after):
        return True
    return bool(_WAS.search(inside) and re.match(r"[^.;]{0,40}\bnow\b", after))
