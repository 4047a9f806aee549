import re
from pathlib import Path

import pytest

from livingdrug.study.run_trial import run_trial

GUIDE = Path(__file__).parents[3] / "docs/guides/run-a-trial.md"
DESIGN = {
    "trial": {"name": "Two arms", "disease": "lbcl", "days": 365},
    "arm": [{"name": name, "product": name, "n": 30} for name in ("axi_cel", "tisa_cel")],
}


def test_the_query_of_the_guide_counts_what_the_result_counts(tmp_path):
    duckdb = pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
    result = run_trial(DESIGN, jobs=1, out=tmp_path / "results")
    queries = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert queries
    found = [duckdb.sql(query.replace("'results/", f"'{tmp_path}/results/")).fetchall() for query in queries]
    counted = {row[0]: row[1:3] for row in found[0]}
    for arm in result.arms:
        own = result.of(arm)
        assert counted[arm] == (30, own["response"].eq("Y").sum())
