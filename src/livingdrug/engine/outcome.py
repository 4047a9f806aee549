"""How a patient's integration ended: data, not an exception."""

from enum import IntEnum


class Outcome(IntEnum):
    """Code of one patient's integration; values after the failure are not a number."""

    DONE = 0
    STEP_TOO_SMALL = 1
    NOT_FINITE = 2
    TOO_MANY_STEPS = 3
    STOPPED = 4

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        return {
            Outcome.DONE: "integrated to the end",
            Outcome.STEP_TOO_SMALL: "the step became too small: the equations are too stiff or singular there",
            Outcome.NOT_FINITE: "a value was not finite: check the parameters",
            Outcome.TOO_MANY_STEPS: "more steps were needed than `max_steps` allows",
            Outcome.STOPPED: "the computation was interrupted before this patient's turn",
        }[self]
