"""Timelines made by hand: every score and time in them is chosen here."""

from datetime import UTC, datetime, timedelta

from ecgdash.domain import (
    MASKED,
    RECALIBRATED,
    UNCALIBRATED,
    EchoStudy,
    FamilyCard,
    NotApplicable,
    OperatingPoint,
    Patient,
    RiskTimeline,
    TimelineEcho,
    TimelinePoint,
    VariantCard,
    VariantScore,
)

START = datetime(2020, 1, 15, 9, 30, tzinfo=UTC)
THRESHOLDS = {UNCALIBRATED: 0.06, MASKED: 0.07, RECALIBRATED: 0.08}
NOISE = {UNCALIBRATED: 0.9, MASKED: 0.8, RECALIBRATED: 0.7}


def operating_point(variant, lead_set="12"):
    return OperatingPoint(
        f"{lead_set}/{variant}",
        "youden",
        THRESHOLDS[variant],
        "validation set",
        1812,
        145,
        0.8,
        0.9,
    )


def card(lead_set="12", noise=None):
    """Return a card; `noise` replaces every noise floor (0: not measured)."""
    variants = []
    for name in THRESHOLDS:
        point = operating_point(name, lead_set)
        floor = NOISE[name] if noise is None else (noise or None)
        variants.append(VariantCard(name, point, point, point, floor))
    return FamilyCard(
        f"family-{lead_set}",
        "By hand",
        lead_set,
        "signal",
        "none",
        "LVEF <= 40 %",
        "0" * 64,
        1,
        "nothing",
        True,
        "Apache-2.0",
        tuple(variants),
    )


def point(ecg, days, scores=None, *, lead_set="12", status="analysable", reason="", absent=()):
    """Return a point; `scores` by variant, variants of `absent` are not applicable."""
    given = {
        name: VariantScore(value, operating_point(name, lead_set))
        for name, value in (scores or {}).items()
    }
    missing = {name: NotApplicable("no earlier ECG-echo pair") for name in absent}
    ordered = {n: {**given, **missing}[n] for n in THRESHOLDS if n in given or n in missing}
    at = None if days is None else START + timedelta(days=days)
    return TimelinePoint(
        ecg=ecg,
        recorded_at=at,
        local_day=at.date() if at else None,
        status=status,
        reasons=(reason,) if reason else (),
        lead_set=lead_set,
        family=f"family-{lead_set}",
        flags=(),
        scores=ordered,
    )


def echo(days, lvef, method="simpson", paired=None):
    at = START + timedelta(days=days)
    return TimelineEcho(EchoStudy("P1", at, at.date(), lvef, method), paired)


def timeline(points, echoes=(), cards=None, **facts):
    return RiskTimeline(
        key="key",
        patient=Patient("P1"),
        points=tuple(points),
        undated=(),
        echoes=tuple(echoes),
        cards=cards or {"12": card()},
        **facts,
    )


def course():
    """A not-applicable start, a fall, a withheld ECG, a rise; echoes paired and not."""
    both = {UNCALIBRATED: 0.9, MASKED: 0.5}
    return timeline(
        [
            point("a", 0, {UNCALIBRATED: 0.95}, absent=(MASKED, RECALIBRATED)),
            point("b", 200, {**both, RECALIBRATED: 0.2}),
            point("c", 500, {**both, RECALIBRATED: 0.04}),
            point("d", 800, {**both, RECALIBRATED: 0.03}),
            point("e", 1100, status="poor_quality", reason="lead V2 is flat for 10.0 s"),
            point("f", 1400, {UNCALIBRATED: 0.97, MASKED: 0.4, RECALIBRATED: 0.3}),
        ],
        [
            echo(2, 31, paired="a"),
            echo(205, 36, "visual", paired="b"),
            echo(300, 44, "m-mode"),
            echo(700, 52, "unknown"),
        ],
    )
