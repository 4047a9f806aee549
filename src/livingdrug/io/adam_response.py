"""ADRS: responses at each visit, confirmed responses, and the responses over the whole course."""

from collections.abc import Iterable, Mapping

import polars as pl

from livingdrug.io.adam_columns import Dates

SOLID_SCALE = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE", "ND", "MISSING")
MYELOMA_SCALE = ("SCR", "CR", "VGPR", "PR", "MR", "SD", "PD", "NE", "ND", "MISSING")
"""AVAL is the place of a category, from 1; those of iRECIST have the place of their namesake."""
PARAMETERS: Mapping[str, tuple[str, str]] = {
    "OVR": ("OVR", "Overall Response by Visit"),
    "COVR": ("COVR", "Confirmed Overall Response by Visit"),
    "unconfirmed_best_overall_response": ("BOR", "Best Overall Response"),
    "confirmed_best_overall_response": ("CBOR", "Best Confirmed Overall Response"),
    "unconfirmed_response": ("RSP", "Response"),
    "confirmed_response": ("CRSP", "Confirmed Response"),
    "clinical_benefit": ("CB", "Clinical Benefit"),
    "confirmed_clinical_benefit": ("CCB", "Confirmed Clinical Benefit"),
    "progression": ("PD", "Disease Progression"),
    "unconfirmed_progression": ("UPD", "Unresolved Unconfirmed Progression"),
    "confirmed_complete_response": ("CRRSP", "Confirmed Complete Response"),
    "vgpr_response": ("VGPRRSP", "Very Good Partial Response or Better"),
}
_WHERE_CONFIRMED = {"confirmed_response": ("RSP", "Response"), "unconfirmed_response": ("URSP", "Unconfirmed Response")}
"""Of criteria whose responses are confirmed ones, as those of myeloma are."""
_OF_TIME_POINTS = ("recist", "irecist")
"""Criteria whose responses are those of single time points unless said otherwise."""
_TWICE = ("best_overall_response",)
"""What says again what the confirmed or the unconfirmed one says."""
_LONGEST_CODE = 8


def build_adrs(
    verdicts: pl.DataFrame, endpoints: pl.DataFrame, therapies: pl.DataFrame, dates: Dates, times: Iterable[str]
) -> pl.DataFrame:
    """Build ADRS.

    Parameters
    ----------
    verdicts, endpoints : table
        Of an assessment.
    therapies : table
        ``USUBJID, _therapy``: first day of a new treatment of the cancer.
    dates : Dates
    times : iterable of str
        Endpoints that are times to events, which do not belong here.

    Returns
    -------
    adrs : table
        ``ANL01FL`` is Y for visits up to progression and not after a new treatment, and for what rests on them.
    """
    families = {str(name).partition("/")[0] for name in verdicts["ruleset"].drop_nulls().unique()}
    parameters = name_parameters(endpoints, times, is_confirmed=not families <= {*_OF_TIME_POINTS})
    whole = endpoints.filter(pl.col("endpoint").is_in(list(parameters)))
    codes = {name: code for name, (code, _) in parameters.items()}
    labels = {name: label for name, (_, label) in parameters.items()}
    course = whole.select(
        USUBJID="subject_id",
        PARAMCD=pl.col("endpoint").replace_strict(codes, default=None, return_dtype=pl.String),
        PARAM=pl.col("endpoint").replace_strict(labels, default=None, return_dtype=pl.String),
        _day=pl.col("day").cast(pl.Float64),
        AVALC=_answer(),
        RSEVALID="reader",
        REASON="reason",
        ANL01FL=pl.lit("Y"),
    )
    rulesets = verdicts.select("subject_id", "ruleset").unique("subject_id", keep="first")
    course = course.join(rulesets, left_on="USUBJID", right_on="subject_id", how="left", maintain_order="left")
    ends = _find_ends(endpoints, therapies)
    visits = pl.concat([_list_visits(verdicts, ends, "time_point"), _list_visits(verdicts, ends, "confirmed")])
    table = pl.concat([visits, course.rename({"ruleset": "RSCAT"}).select(visits.columns)])
    table = table.with_columns(RSEVALID=pl.col("RSEVALID").replace("", None), AVAL=_place_values())
    dated = dates.derive(table, "_day", date="ADT", study_day="ADY")
    joined = dates.zeros.select("USUBJID", TRTSDT=pl.col("_zero").dt.to_string("%Y-%m-%d"))
    dated = dated.join(joined, on="USUBJID", how="left", maintain_order="left")
    order = ["USUBJID", "PARAMCD", "RSEVALID", "_day"]
    return dated.sort(order, maintain_order=True, nulls_last=True).drop("_day")


def _answer() -> pl.Expr:
    """Return the value; of whom nobody assessed there is no response, in a data set that knows only yes and no."""
    value, is_best = pl.col("value").cast(pl.String), pl.col("endpoint").str.ends_with("best_overall_response")
    is_yes_or_no = pl.col("endpoint").is_in([name for name in PARAMETERS if name not in ("OVR", "COVR")]) & ~is_best
    return pl.when(is_yes_or_no & (value == "NE")).then(pl.lit("N")).otherwise(value)


def name_parameters(endpoints: pl.DataFrame, times: Iterable[str], *, is_confirmed: bool) -> dict[str, tuple[str, str]]:
    """Return code and label of each endpoint that is a response, in the order in which they stand.

    An endpoint that is not known gets a code of its initials.

    Parameters
    ----------
    is_confirmed : bool
        Whether the criteria call a response what is confirmed, and not what one time point shows.

    Examples
    --------
    >>> table = pl.DataFrame({"endpoint": ["confirmed_response", "failure_class", "overall_survival"]})
    >>> [name_parameters(table, ["overall_survival"], is_confirmed=c)["confirmed_response"][0] for c in (True, False)]
    ['RSP', 'CRSP']
    """
    names = endpoints["endpoint"].unique(maintain_order=True).to_list()
    known = {**PARAMETERS, **(_WHERE_CONFIRMED if is_confirmed else {})}
    skipped = {*times, *_TWICE}
    taken = {code for code, _ in known.values()}
    found: dict[str, tuple[str, str]] = {}
    for name in names:
        if name in skipped:
            continue
        if name not in known:
            known[name] = (_shorten(name, taken), name.replace("_", " ").capitalize())
            taken.add(known[name][0])
        found[name] = known[name]
    return found


def _shorten(name: str, taken: set[str]) -> str:
    """Return a code of at most eight letters that no other parameter has."""
    words = name.upper().split("_")
    code = "".join(words)[:_LONGEST_CODE] if len(words) == 1 else "".join(word[:3] for word in words)[:_LONGEST_CODE]
    number = 1
    candidate = code
    while candidate in taken:
        number += 1
        candidate = f"{code[: _LONGEST_CODE - len(str(number))]}{number}"
    return candidate


def _find_ends(endpoints: pl.DataFrame, therapies: pl.DataFrame) -> pl.DataFrame:
    """Return ``USUBJID, reader, _progression, _therapy``."""
    is_it = pl.col("endpoint").is_in(["progression"]) & (pl.col("status") == "event")
    progressed = endpoints.filter(is_it & pl.col("day").is_not_null())
    first = progressed.group_by("subject_id", "reader").agg(pl.col("day").min().cast(pl.Float64).alias("_progression"))
    return (
        endpoints.select("subject_id", "reader")
        .unique()
        .join(first, on=["subject_id", "reader"], how="left", nulls_equal=True)
        .rename({"subject_id": "USUBJID"})
        .join(therapies, on="USUBJID", how="left")
    )


def _list_visits(verdicts: pl.DataFrame, ends: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return one row a visit, of the time point or of what is confirmed by then."""
    code, label = PARAMETERS["OVR" if column == "time_point" else "COVR"]
    rows = verdicts.rename({"subject_id": "USUBJID"}).join(
        ends, on=["USUBJID", "reader"], how="left", maintain_order="left", nulls_equal=True
    )
    day = pl.col("day").cast(pl.Float64)
    is_late = (day > pl.col("_progression")) | (day > pl.col("_therapy"))
    return rows.select(
        "USUBJID",
        PARAMCD=pl.lit(code),
        PARAM=pl.lit(label),
        _day=day,
        AVALC=pl.col(column).cast(pl.String),
        RSEVALID="reader",
        REASON="note" if "note" in rows.columns else pl.lit(None, dtype=pl.String),
        ANL01FL=pl.when(~is_late.fill_null(value=False)).then(pl.lit("Y")),
        RSCAT="ruleset",
    )


def list_codes() -> dict[str, dict[str, int]]:
    """Return AVAL of each category, by scale."""
    scales = {"myeloma": MYELOMA_SCALE, "other criteria": SOLID_SCALE, "yes or no": ("N", "Y")}
    start = {"yes or no": 0}
    return {
        name: {word: place for place, word in enumerate(scale, start.get(name, 1))} for name, scale in scales.items()
    }


def _place_values() -> pl.Expr:
    """Return AVAL: the place of a category on its scale, 1 and 0 for yes and no, a grade as it is."""
    codes = list_codes()
    text = pl.col("AVALC").str.to_uppercase()
    plain = text.str.replace_all(r"\bI(CR|PR|SD|UPD|CPD)\b", "${1}").str.replace_all("UPD|CPD", "PD")
    is_myeloma = pl.col("RSCAT").str.starts_with("imwg").fill_null(value=False)
    numbers = {name: {word: float(n) for word, n in scale.items()} for name, scale in codes.items()}
    return pl.coalesce(
        text.replace_strict(numbers["yes or no"], default=None, return_dtype=pl.Float64),
        pl.when(is_myeloma).then(text.replace_strict(numbers["myeloma"], default=None, return_dtype=pl.Float64)),
        pl.when(~is_myeloma).then(
            plain.replace_strict(numbers["other criteria"], default=None, return_dtype=pl.Float64)
        ),
        text.cast(pl.Float64, strict=False),
    )
