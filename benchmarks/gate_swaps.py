"""Limb electrodes of a recorded ECG exchanged by arithmetic.

With the right leg as reference, the electrodes of the arms and the left leg are at the
potentials 0, I and II (up to a common offset, which no lead sees); the right leg is taken to be
nearly at that of the left. The chest leads move with Wilson's terminal.
"""

from dataclasses import replace

import numpy as np

from ecgdash.domain import EcgRecord
from ecgdash.signal.leads import derive_limb_leads

RIGHT_OF_LEFT_LEG = 0.96
EXCHANGES = ("RA-LA", "RA-LL", "LA-LL", "RA-RL", "LA-RL")


def exchanged(record: EcgRecord, exchange: str) -> EcgRecord:
    """Return the 12-lead record as it would be with two electrodes exchanged."""
    one, two = record.signal_mv[:2].astype(np.float64)
    at = {"RA": np.zeros_like(one), "LA": one, "LL": two, "RL": RIGHT_OF_LEFT_LEG * two}
    before = (at["RA"] + at["LA"] + at["LL"]) / 3
    first, second = exchange.split("-")
    at[first], at[second] = at[second], at[first]
    after = (at["RA"] + at["LA"] + at["LL"]) / 3
    limb = derive_limb_leads(at["LA"] - at["RA"], at["LL"] - at["RA"])
    chest = record.signal_mv[6:] + before - after
    return replace(record, signal_mv=np.concatenate([limb, chest]).astype(np.float32))
