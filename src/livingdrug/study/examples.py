"""The packaged example records: synthetic patients, made by the simulator."""

from difflib import get_close_matches
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable

from livingdrug.core.errors import InputError
from livingdrug.core.tables import Record
from livingdrug.io.tables import read_record


def _find_folder() -> Traversable:
    return files("livingdrug.study").joinpath("data", "examples")


def list_examples() -> tuple[str, ...]:
    """Name the packaged records, in alphabetical order.

    Examples
    --------
    >>> "myeloma_late_relapse" in list_examples()
    True
    """
    return tuple(sorted(entry.name for entry in _find_folder().iterdir() if entry.is_dir()))


def load_example(name: str) -> Record:
    """Read a packaged record.

    Raises
    ------
    InputError
        If there is no example of that name.

    Examples
    --------
    >>> load_example("myeloma_late_relapse").subjects["product"].to_list()
    ['ide_cel']
    """
    names = list_examples()
    if name not in names:
        near = get_close_matches(name, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(names)}"
        raise InputError(f"`name` must be a packaged example, but was {name!r}. Hint: {hint}.")
    with as_file(_find_folder().joinpath(name)) as folder:
        return read_record(folder)
