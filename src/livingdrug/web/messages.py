"""What the programming interface is sent and answers with."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

MOST_SEED = 2**53 - 1
"""Whole numbers up to this are the same in every program."""
Identity = Annotated[str, Field(min_length=1, max_length=64, description="a record's identifier or an example's name")]
Subject = Annotated[str | None, Field(max_length=400, description="may be left out where the record holds one")]
Seed = Annotated[int, Field(ge=0, le=MOST_SEED)]
STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)
"""Every name of a body must be known."""


@dataclass(frozen=True, config=STRICT)
class SubjectRequest:
    """One subject of a record."""

    record_id: Identity
    subject_id: Subject = None
    seed: Seed = 1


@dataclass(frozen=True, config=STRICT)
class AssessRequest:
    """A record and the criteria to judge it by."""

    record_id: Identity
    criteria: Annotated[str, Field(max_length=64, examples=["imwg/2016"])]
    options: Annotated[dict[str, str], Field(max_length=100, default_factory=dict)]


@dataclass(frozen=True, config=STRICT)
class WhatIfRequest:
    """One question: a subject and where the sliders stand."""

    record_id: Identity
    knobs: Annotated[dict[str, float], Field(max_length=16, default_factory=dict, examples=[{"antigen": 2.0}])]
    subject_id: Subject = None
    seed: Seed = 1


@dataclass(frozen=True, config=STRICT)
class CohortRequest:
    """A record whose every subject is assessed; without criteria, by those of each disease."""

    record_id: Identity
    criteria: Annotated[str | None, Field(max_length=64, examples=["imwg/2016"])] = None


@dataclass(frozen=True, config=STRICT)
class TrialRequest:
    """A virtual trial to be run."""

    design: Annotated[str, Field(max_length=200_000, description="TOML")]
    seed: Seed = 1


@dataclass(frozen=True, config=STRICT)
class JobRequest:
    """Work to be done: ``explain`` one subject, compare its ``options``, assess a ``cohort``, run a ``trial``."""

    kind: Literal["explain", "options", "cohort", "trial"]
    record_id: Annotated[str | None, Field(max_length=64)] = None
    subject_id: Subject = None
    criteria: Annotated[str | None, Field(max_length=64, description="of a cohort")] = None
    design: Annotated[str | None, Field(max_length=200_000, description="of a trial, as TOML")] = None
    seed: Seed = 1


@dataclass(frozen=True)
class FaultAnswer:
    """One thing wrong, and where."""

    where: str
    rule: str
    was: str
    hint: str


@dataclass(frozen=True)
class ErrorAnswer:
    """What went wrong, as a sentence; for a document, every fault."""

    error: str
    faults: list[FaultAnswer]


@dataclass(frozen=True)
class HealthAnswer:
    """That the server is there."""

    status: Literal["ok"]
    version: str


@dataclass(frozen=True)
class JobAnswer:
    """How far a job is; ``result`` where it is done."""

    id: str
    kind: str
    state: Literal["queued", "running", "done", "failed"]
    progress: float
    message: str
    created: float
    updated: float
    result: dict[str, str] | None = None


@dataclass(frozen=True)
class FigureAnswer:
    """A figure in words, and where its files are."""

    name: str
    title: str
    caption: str
    links: dict[str, str]
