"""Write option.schema.json and evidence.schema.json, the schemas of the files of options, from the package itself.

Run it as ``python docs/reference/write_option_schemas.py``.
"""

import json
from pathlib import Path

from livingdrug.core.evidence_item import EvidenceItem, EvidenceSource
from livingdrug.core.option import Option

FOLDER = Path(__file__).parent
SCHEMAS = {"option": Option, "evidence": EvidenceItem, "evidence_source": EvidenceSource}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def build_schema(name: str) -> str:
    """Return one schema as text."""
    schema = {"$schema": DIALECT, **SCHEMAS[name].model_json_schema()}
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in SCHEMAS:
        (FOLDER / f"{name}.schema.json").write_text(build_schema(name), encoding="utf-8")
