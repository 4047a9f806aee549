"""Data to posterior: what is free, how data are noisy and censored, one patient's estimate and its spread."""
