import re
import tomllib

import pytest

LOCKS = {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "package-lock.json", "yarn.lock", "conda-lock.yml"}
PINS = ("constraints.txt", "constraints-tests.txt")
# Written in pieces, so that this file does not hold what it looks for.
MACHINE_PATHS = [f"/{name}/" for name in ("work", "root", "farm")] + [
    f"/tmp/{name}" for name in ("bash_jobs", "studio")
]
MACHINE_PATHS += ["/" + "opt/ld", "/" + "opt/pypi"]
HOSTS = ["pypi" + ".org", "pythonhosted" + ".org"]


def test_no_lock_file_is_committed(committed):
    assert [path.name for path in committed if path.name in LOCKS] == []


def read_pins(root, name):
    """Requirement lines with their hashes, continuation lines joined."""
    text = (root / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


@pytest.mark.parametrize("name", PINS)
def test_pins_are_names_versions_and_hashes_without_an_address(root, name):
    text = (root / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"--(index|extra-index|find-links|trusted-host|no-index)", text)
    for line in read_pins(root, name):
        if line == "-r constraints.txt":
            continue
        assert re.match(r"[a-z0-9-]+==[\w.]+( ;[^-]+)?\s+(--hash=sha256:[0-9a-f]{64}\s*)+$", line), line[:80]


def test_everything_the_project_asks_for_is_pinned(root):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = {"constraints.txt": project["dependencies"] + extras["report"] + extras["web"] + ["hatchling"]}
    asked["constraints-tests.txt"] = extras["test"] + extras["lint"] + ["editables"]
    pinned: set[str] = set()  # the second file builds on the first
    for file, requirements in asked.items():
        pinned |= {line.split("==")[0] for line in read_pins(root, file)}
        names = {re.split(r"[^A-Za-z0-9._-]", item)[0].lower().replace("_", "-") for item in requirements}
        assert names - pinned == set(), file


def read_text(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_committed_file_names_a_path_of_one_machine_or_a_registry(committed):
    found = {}
    for path in committed:
        text = read_text(path)
        hits = [word for word in MACHINE_PATHS + HOSTS if word in text]
        if hits:
            found[str(path)] = hits
    assert found == {}


def test_the_drawing_for_readers_is_the_contract(root):
    contract = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = contract["contracts"][0]["layers"]
    page = (root / "AGENTS.md").read_text(encoding="utf-8")
    drawing = page[page.index("```\n") + 4 :].split("```")[0].splitlines()
    assert [line.split("  ")[0].strip() for line in drawing] == layers
