"""The command line: decode arguments, call study, print. No science.

Exit codes: 0 done, 2 bad input, 3 did not converge (results are written all the same), 130 interrupted.
"""
