"""Words everyone shares: errors, units, models, values, records, verdicts."""
