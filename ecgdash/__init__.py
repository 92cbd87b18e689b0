"""ECGDash follows a patient's heart function over time from serial ECGs."""

__version__ = "0.1.0"
