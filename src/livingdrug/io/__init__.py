"""Files and standards: each one to and from the three tidy tables, with all faults and where they are."""
