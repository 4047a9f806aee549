"""An explanation as files: JSON for programs, CSV tables for people."""

from pathlib import Path

import polars as pl

from livingdrug.study.explanation import Explanation

TEXT_JOIN = "; "


def tabulate_evidence(explanation: Explanation) -> pl.DataFrame:
    """Return the evidence with the rows of the record joined into one column."""
    rows = [{**item, "rows": TEXT_JOIN.join(str(row) for row in item.get("rows", ()))} for item in explanation.evidence]
    columns = ("statement", "mechanism", "direction", "rows")
    return pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String))


def tabulate_mechanisms(explanation: Explanation) -> pl.DataFrame:
    """Return the mechanisms, most probable first."""
    numbers = ("probability", "lower", "upper", "reduction", "reduction_lower", "reduction_upper")
    schema = {"name": pl.String, "group": pl.String, **dict.fromkeys(numbers, pl.Float64)}
    return pl.DataFrame([{name: item[name] for name in schema} for item in explanation.mechanisms], schema=schema)


def write_explanation(explanation: Explanation, folder: Path) -> tuple[Path, ...]:
    """Write ``explanation.json`` and the tables; the folder is made if it is missing.

    Returns
    -------
    paths : tuple of Path
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "mechanisms.csv": tabulate_mechanisms(explanation),
        "responses.csv": explanation.response_rows,
        "evidence.csv": tabulate_evidence(explanation),
        "bands.csv": explanation.bands,
        "counterfactuals.csv": explanation.counterfactuals,
    }
    written = [folder / "explanation.json"]
    written[0].write_text(explanation.to_json() + "\n", encoding="utf-8")
    for name, table in tables.items():
        table.write_csv(folder / name)
        written.append(folder / name)
    return tuple(written)
