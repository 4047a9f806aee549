"""Numbers without equations: values, criteria and sources, each with where it comes from."""
