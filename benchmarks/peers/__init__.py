"""The general tools that the engine is compared with, each set up as its experts would."""
