"""Equations once, machine code from them: trajectories of one patient or a million."""
