"""Laboratory tables of patients with myeloma as a hospital would export them: long, with gaps and mixed units."""

from collections.abc import Sequence

import numpy as np
import polars as pl

DAYS = np.array([-7.0, *(28.0 * (visit + 1) for visit in range(24))])
MARROW = np.isin(np.arange(len(DAYS)), (0, 1, 3, 6, 12, 24))
GAP = 0.06
SCHEMA = {"note": pl.String, "duration_days": pl.Float64}


def create_records(count: int, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return observations and events of some patients: a baseline and 24 visits each."""
    rng = np.random.default_rng(seed)
    shape = (len(DAYS), count)
    subjects = [f"P{seed:04d}-{number:06d}" for number in range(count)]
    kind = rng.choice(4, count, p=(0.6, 0.15, 0.2, 0.05))
    visit = np.arange(len(DAYS))[:, None]
    fall = np.exp(-np.minimum(visit / rng.uniform(0.4, 6, count), rng.uniform(0.2, 7, count)))
    rise = 0.05 * np.expm1(np.maximum(visit - rng.uniform(4, 45, count), 0) * 0.4)
    burden = np.minimum(fall + rise, 3.0) * rng.lognormal(0, 0.05, shape)
    serum = np.round(np.where(kind == 0, rng.uniform(1.0, 6.0, count), 0.2) * burden, 2)
    urine = np.round(np.where(kind == 1, rng.uniform(200, 2000, count), rng.uniform(0, 150, count)) * burden)
    kappa = np.round(np.where(kind == 2, rng.uniform(100, 900, count), rng.uniform(8, 90, count)) * burden + 8, 1)
    chain = np.round(rng.uniform(8, 14, count) * rng.lognormal(0, 0.03, shape), 1)
    marrow = np.round(np.clip(np.where(kind == 3, 45.0, rng.uniform(8, 60, count)) * burden, 0, 100), 1)
    parts = [
        _list_values("m_protein", serum * 10, "g/L", subjects, rng.random(shape) > GAP, limit=0.5),
        _list_values("urine_m_protein", urine, "mg/24h", subjects, rng.random(shape) > 3 * GAP),
        _list_values("flc_kappa", kappa / 10, "mg/dL", subjects, rng.random(shape) > GAP),
        _list_values("flc_lambda", chain, "mg/L", subjects, rng.random(shape) > GAP),
        _list_words("serum_immunofixation", np.where(serum < 0.05, "negative", "positive"), subjects, rng),
        _list_words("urine_immunofixation", np.where(urine < 8, "negative", "positive"), subjects, rng),
        _list_values("marrow_plasma_cells", marrow, "%", subjects, np.broadcast_to(MARROW[:, None], shape)),
        _list_values("haemoglobin", 9 + 4 * rng.random(shape), "g/dL", subjects, rng.random(shape) > GAP),
        _list_words("new_lesion", np.where(rng.random(shape) < 0.02, "yes", "no"), subjects, rng, share=0.1),
    ]
    table = pl.concat(parts).sort("subject_id", "day", maintain_order=True)
    return table, _list_events(subjects, rng)


def _list_values(
    name: str, values: np.ndarray, unit: str, subjects: Sequence[str], keep: np.ndarray, limit: float = 0.0
) -> pl.DataFrame:
    subject, visit = np.nonzero(keep.T)
    found = values[visit, subject]
    low = found < limit
    return pl.DataFrame(
        {
            "subject_id": pl.Series(subjects).gather(subject),
            "day": DAYS[visit],
            "variable": pl.repeat(name, len(found), eager=True),
            "value": pl.Series(found),
            "text": pl.repeat(None, len(found), dtype=pl.String, eager=True),
            "unit": pl.repeat(unit, len(found), eager=True),
            "assay": pl.repeat(None, len(found), dtype=pl.String, eager=True),
            "lloq": pl.Series(np.where(low, limit, np.nan)).fill_nan(None),
            "censored": pl.Series(np.where(low, "left", "none")),
        }
    )


def _list_words(
    name: str, words: np.ndarray, subjects: Sequence[str], rng: np.random.Generator, share: float = 1 - GAP
) -> pl.DataFrame:
    table = _list_values(name, np.zeros(words.shape), "", subjects, rng.random(words.shape) < share)
    place = table.select(pl.col("day")).to_series().to_numpy()
    visit = np.searchsorted(DAYS, place)
    number = {subject: index for index, subject in enumerate(subjects)}
    subject = table["subject_id"].replace_strict(number, return_dtype=pl.Int64).to_numpy()
    return table.with_columns(
        value=pl.lit(None, dtype=pl.Float64),
        unit=pl.lit(None, dtype=pl.String),
        text=pl.Series(words[visit, subject].astype(str)),
    )


def _list_events(subjects: Sequence[str], rng: np.random.Generator) -> pl.DataFrame:
    count = len(subjects)
    treated, died = rng.random(count) < 0.3, rng.random(count) < 0.2
    rows = [
        (s, day, kind, None, None)
        for s in subjects
        for day, kind in ((-40.0, "leukapheresis"), (-5.0, "lymphodepletion"), (0.0, "car_t"))
    ]
    rows += [
        (s, float(d), "next_therapy", None, None)
        for s, d in zip(np.array(subjects)[treated], rng.integers(100, 600, treated.sum()), strict=True)
    ]
    notes = ("sepsis", "progressive myeloma")
    rows += [
        (s, float(d), "death", notes[int(n)], None)
        for s, d, n in zip(
            np.array(subjects)[died], rng.integers(300, 700, died.sum()), rng.integers(0, 2, died.sum()), strict=True
        )
    ]
    names = ["subject_id", "day", "type", "note", "duration_days"]
    return pl.DataFrame(rows, schema=names, schema_overrides=SCHEMA, orient="row")
