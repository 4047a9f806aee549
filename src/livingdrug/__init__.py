"""What happens if CAR T-cell therapy fails: when, why, and what next.

Research software; not a medical device.
"""

__version__ = "0.1.0"
