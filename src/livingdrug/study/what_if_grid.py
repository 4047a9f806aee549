"""The answers to every position of every knob, one knob at a time: what a report carries inside."""

from dataclasses import dataclass

from livingdrug.study.what_if import WhatIf, WhatIfStart, compute_what_if
from livingdrug.study.what_if_knobs import KNOBS, Knob


@dataclass(frozen=True, slots=True)
class WhatIfGrid:
    """The patient as fitted, and each knob's answers at its positions.

    Parameters
    ----------
    start : WhatIfStart
    as_it_was : WhatIf
    answers : tuple of (Knob, answers)
    """

    start: WhatIfStart
    as_it_was: WhatIf
    answers: tuple[tuple[Knob, tuple[WhatIf, ...]], ...]

    @property
    def all_answers(self) -> tuple[WhatIf, ...]:
        """Every answer, the patient as fitted first."""
        return (self.as_it_was, *(answer for _, answers in self.answers for answer in answers))


def compute_what_if_grid(start: WhatIfStart, *, threads: int = 1) -> WhatIfGrid:
    """Ask about every position of every knob, with the others left as they were."""
    as_it_was = compute_what_if(start, {}, threads=threads)

    def ask(knob: Knob, position: float) -> WhatIf:
        is_neutral = position == knob.neutral
        return as_it_was if is_neutral else compute_what_if(start, {knob.name: position}, threads=threads)

    answers = tuple((knob, tuple(ask(knob, position) for position in knob.positions)) for knob in KNOBS)
    return WhatIfGrid(start, as_it_was, answers)
