"""The user's verbs: the only place where the rooms meet."""
