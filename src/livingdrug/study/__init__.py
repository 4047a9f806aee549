"""The user's verbs: the only place where equations, numbers, data and methods meet."""
