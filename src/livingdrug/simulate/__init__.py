"""Virtual patients: who they are, what is done to them, and what a hospital writes down."""
