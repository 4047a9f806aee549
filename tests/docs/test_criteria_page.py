import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "docs" / "reference" / "write_criteria_page.py"


def test_the_page_of_criteria_is_what_the_package_says():
    spec = importlib.util.spec_from_file_location("write_criteria_page", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    hint = "run `python docs/reference/write_criteria_page.py`"
    assert module.PAGE.read_text(encoding="utf-8") == module.build_page(), hint
