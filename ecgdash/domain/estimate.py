"""A number with its interval."""

from dataclasses import dataclass

__all__ = ["Estimate"]


@dataclass(frozen=True)
class Estimate:
    """A point estimate with a two-sided interval, usually 95 %.

    `value`, `low` and `high` are NaN where the quantity is not defined (an
    AUROC without cases, say); the JSON writers turn NaN into null.
    """

    value: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        """Format as ``0.91 (0.88-0.93)`` with the given number format."""
        form = spec or ".3f"
        return f"{self.value:{form}} ({self.low:{form}}-{self.high:{form}})"
