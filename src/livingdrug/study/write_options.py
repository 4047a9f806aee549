"""Write the options of one subject: ``options.json`` and what stands around it."""

from pathlib import Path

from livingdrug.study.option_list import OptionList


def write_options(found: OptionList, folder: Path) -> Path:
    """Write ``options.json`` and ``options_context.json``; the folder is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "options.json"
    path.write_text(found.to_json() + "\n", encoding="utf-8")
    (folder / "options_context.json").write_text(found.context_to_json() + "\n", encoding="utf-8")
    return path
