import importlib.util
import json
from pathlib import Path

import pytest

from livingdrug.knowledge.options import load_options

SCRIPT = Path(__file__).parents[2] / "docs" / "reference" / "write_option_schemas.py"


@pytest.mark.parametrize("name", ["option", "evidence", "evidence_source"])
def test_the_schemas_in_the_reference_are_those_of_the_package(name):
    spec = importlib.util.spec_from_file_location("write_option_schemas", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    printed = (SCRIPT.parent / f"{name}.schema.json").read_text(encoding="utf-8")
    assert printed == module.build_schema(name), "run `python docs/reference/write_option_schemas.py`"


def test_the_schema_names_every_field_of_a_file():
    schema = json.loads((SCRIPT.parent / "option.schema.json").read_text(encoding="utf-8"))
    option = next(iter(load_options().options.values()))
    assert set(option.model_dump()) == set(schema["properties"])
