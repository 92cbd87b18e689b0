"""How much each earlier ECG moved a score, exactly.

The history enters through a perceptron, so its term w.g(h) is no sum over
slots. It is shared out by Shapley values over the observed slots, where "without
a slot" means what the network would have seen had that earlier ECG not been
there: the remaining ones move up and the missing ones are back-filled with the
flag set, as in use. Without any slot there is no history and the term is 0.
With at most three slots all 2^3 cases are computed: nothing is approximated, and
the values sum to the term. Not in the paper: our choice.
"""

from itertools import combinations
from math import factorial

from ecgdash.domain.pairs import HISTORY_SLOTS, History, HistorySlot
from ecgdash.inference.history import HistoryTerm

__all__ = ["slot_contributions"]


def slot_contributions(term: HistoryTerm, history: History) -> tuple[float, ...]:
    """Share the history's term out over its slots.

    Parameters
    ----------
    term : HistoryTerm
        Of the variant that the history was made for.
    history : History

    Returns
    -------
    tuple of float
        One a slot, in logits, above 0 where the slot raised the score. Imputed
        slots hold no information of their own and get exactly 0. The sum is
        `term(history)` to rounding.
    """
    observed = [slot for slot in history.slots if not slot.imputed]
    players = range(len(observed))
    worth = {
        kept: _worth(term, [observed[i] for i in kept])
        for size in range(len(observed) + 1)
        for kept in combinations(players, size)
    }
    shares = [_shapley(player, len(observed), worth) for player in players]
    return tuple(shares + [0.0] * (len(history.slots) - len(observed)))


def _shapley(player: int, n: int, worth: dict[tuple[int, ...], float]) -> float:
    total = 0.0
    for kept, value in worth.items():
        if player in kept:
            without = tuple(i for i in kept if i != player)
            weight = factorial(len(without)) * factorial(n - len(kept)) / factorial(n)
            total += weight * (value - worth[without])
    return total


def _worth(term: HistoryTerm, kept: list[HistorySlot]) -> float:
    """Term of a history that holds only these slots."""
    if not kept:
        return 0.0
    oldest = kept[-1]
    copy = HistorySlot(
        oldest.ecg, oldest.score, oldest.interval_days, oldest.lvef_percent, imputed=True
    )
    return term(History(tuple(kept + [copy] * (HISTORY_SLOTS - len(kept)))))
