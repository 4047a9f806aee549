"""The unified model of CAR T-cell therapy, in blocks that can be read and changed one at a time."""
