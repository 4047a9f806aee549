"""Why a treatment failed: mechanisms switched off in turn, evidence for and against, sentences."""
