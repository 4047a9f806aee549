"""Published criteria over tidy tables: responses, progression, failure."""
