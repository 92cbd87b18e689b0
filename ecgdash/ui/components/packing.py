"""ECG sheets as one block of bytes, the only binary form that Streamlit hands to a component.

The length of the head (uint32), the head (JSON, UTF-8), then samples as int16 microvolts, lead
after lead, then colour as int8 of the printed scale. All little-endian.
"""

import json
import math
import struct
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.plots.paper import (
    BEATS_PER_ROW,
    GAINS_MM_PER_MV,
    PAPER,
    RHYTHM_LEADS,
    SPEEDS_MM_PER_S,
    layouts_for,
)
from ecgdash.plots.sheets import BeatSheet, Overlay, Sheet
from ecgdash.plots.style import ECG_PAPER, FONT_FAMILY

__all__ = ["NO_SAMPLE", "colour_scale", "pack_beats", "pack_sheet"]

NO_SAMPLE: Final = -32768
_LARGEST_UV: Final = 32767
_LARGEST_STEP: Final = 127
_FULL_COLOUR_FROM: Final = 0.99


def pack_sheet(sheet: Sheet) -> bytes:
    """Pack an ECG for the viewer.

    Parameters
    ----------
    sheet : Sheet
        At most 500 Hz, and no longer than `plots.sheets.longest_part_s`.

    Returns
    -------
    bytes
        Samples are rounded to 1 microvolt; beyond +-32.767 mV they are cut there.
    """
    head = _common_head(sheet.key, sheet.leads, sheet.sampling_hz, sheet.alt) | {
        "n_samples": sheet.signal_mv.shape[1],
        "start_s": sheet.start_s,
        "shown_from_s": sheet.shown_from_s,
        "recording_s": sheet.recording_s,
        "in_millivolts": sheet.in_millivolts,
        "title": sheet.title,
        "foot": sheet.foot,
        "simulated": sheet.simulated,
        "rr_s": sheet.rr_s if sheet.rr_s and math.isfinite(sheet.rr_s) else None,
        "layouts": [asdict(layout) for layout in layouts_for(sheet.leads)],
        "rhythm_leads": [lead for lead in RHYTHM_LEADS if lead in sheet.leads],
        "gains": GAINS_MM_PER_MV,
        "speeds": SPEEDS_MM_PER_S,
        "overlay": None,
    }
    body = _microvolts(sheet.signal_mv)
    if sheet.overlay is not None:
        scale = colour_scale(sheet.overlay.values)
        head["overlay"] = {
            "start_s": sheet.overlay.start_s,
            "step_s": sheet.overlay.step_s,
            "n_steps": sheet.overlay.values.shape[1],
            "scale": scale,
            "title": sheet.overlay.title,
            "unit": sheet.overlay.unit,
        }
        body += _steps(sheet.overlay, scale)
    return _block(head, body)


def pack_beats(sheet: BeatSheet) -> bytes:
    """Pack median beats: those of this ECG, then those of the earlier one."""
    head = _common_head(sheet.key, sheet.leads, sheet.sampling_hz, sheet.alt) | {
        "n_samples": sheet.now_mv.shape[1],
        "n_earlier": 0 if sheet.earlier_mv is None else sheet.earlier_mv.shape[1],
        "centre_s": sheet.centre_s,
        "now": sheet.now,
        "earlier": sheet.earlier,
        "per_row": BEATS_PER_ROW,
    }
    body = _microvolts(sheet.now_mv)
    if sheet.earlier_mv is not None:
        body += _microvolts(sheet.earlier_mv)
    return _block(head, body)


def colour_scale(values: NDArray[np.float32]) -> float:
    """Return what full colour stands for: the 99th percentile of sizes, rounded up to one digit.

    One hot step would leave all others pale: against a flat line the largest of 3,000 steps is
    three to five times the 99th percentile (our choice). Larger values have full colour too, and
    the legend says so.

    Parameters
    ----------
    values : ndarray of float32, shape (n_leads, n_steps)
        Logits; NaN counts as none, and a lead without any is left out. 0 if there is none at all.
    """
    sizes = np.abs(np.nan_to_num(values))
    sizes = sizes[sizes.any(axis=1)]
    largest = float(np.quantile(sizes, _FULL_COLOUR_FROM, method="higher")) if sizes.size else 0.0
    if largest == 0.0:
        return 0.0
    step = 10.0 ** math.floor(math.log10(largest))
    # Without the tolerance 0.3 as float32 (0.30000001) would become 0.4.
    return round(math.ceil(largest / step - 1e-6) * step, 12)


def _common_head(key: str, leads: tuple[str, ...], sampling_hz: float, alt: str) -> dict[str, Any]:
    return {
        "key": key,
        "leads": leads,
        "sampling_hz": sampling_hz,
        "alt": alt,
        "colours": asdict(ECG_PAPER),
        "font": FONT_FAMILY,
        "paper": asdict(PAPER),
    }


def _microvolts(signal_mv: NDArray[np.float32]) -> bytes:
    rounded = np.clip(np.rint(signal_mv * 1000.0), -_LARGEST_UV, _LARGEST_UV)
    samples: bytes = np.nan_to_num(rounded, nan=NO_SAMPLE).astype("<i2").tobytes()
    return samples


def _steps(overlay: Overlay, scale: float) -> bytes:
    shares = np.clip(np.nan_to_num(overlay.values) / (scale or 1.0), -1.0, 1.0)
    steps: bytes = np.rint(shares * _LARGEST_STEP).astype("<i1").tobytes()
    return steps


def _block(head: dict[str, Any], body: bytes) -> bytes:
    words = json.dumps(head, ensure_ascii=False, allow_nan=False).encode("utf-8")
    return struct.pack("<I", len(words)) + words + body
