"""Figures and one-file documents from results. Computes no science."""
