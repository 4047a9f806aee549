"""Where records and results lie on disk, by identifiers that are checked before they become paths."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from livingdrug.core.errors import InputError
from livingdrug.core.tables import Record
from livingdrug.core.version import VERSION
from livingdrug.io.tables import read_record
from livingdrug.study.examples import list_examples, load_example
from livingdrug.study.read_trial import MANIFEST, OUTCOMES
from livingdrug.web.parsing import RECORD_PROGRAM, parse_in_worker
from livingdrug.web.settings import Settings
from livingdrug.web.storage import Storage
from livingdrug.web.uploads import FILES, Upload, save_upload

RECORDS, RESULTS, TRIALS = "records", "results", "trials"
TRIAL_FILES = (MANIFEST, OUTCOMES)
TRIAL_PROGRAM = "livingdrug.web.trial_parsing"
MOST_KEPT = 32
"""Records that stay in memory."""
MOST_NAME = 80
_IDENTITY = re.compile(r"[0-9a-f]{32}")


class NotFoundError(Exception):
    """What was asked for is not here."""


@lru_cache(maxsize=MOST_KEPT)
def _read(folder: Path) -> Record:
    return read_record(folder, keep_conflicts=True)


@lru_cache(maxsize=MOST_KEPT)
def _load(name: str) -> Record:
    return load_example(name)


def _identify(folder: Path, names: Sequence[str] = FILES) -> str:
    """Return an identifier made of the bytes of the files: what is sent again is the same."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()[:32]


class Library:
    """Records and results of one server; examples are records that are always there."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        self.settings, self.storage = settings, storage
        for name in (RECORDS, RESULTS, TRIALS):
            (settings.data / name).mkdir(parents=True, exist_ok=True)

    def add(self, uploads: Sequence[Upload]) -> str:
        """Check and keep an upload; what cannot be read leaves nothing behind.

        Raises
        ------
        InputError
            With every fault.
        """
        identity, overview = self._keep(uploads, self.settings.data / RECORDS, FILES, RECORD_PROGRAM)
        subjects = overview["subjects"]
        name = str(subjects[0]["subject_id"]) if len(subjects) == 1 else f"{len(subjects)} subjects"
        self.storage.add_record(identity, name[:MOST_NAME], overview)
        return identity

    def add_trial(self, uploads: Sequence[Upload]) -> str:
        """Check and keep the result of a trial that was run elsewhere.

        Raises
        ------
        InputError
            With every fault.
        """
        return self._keep(uploads, self.settings.data / TRIALS, TRIAL_FILES, TRIAL_PROGRAM)[0]

    def locate_trial(self, identity: str) -> Path:
        """Return the folder of a trial that was sent.

        Raises
        ------
        NotFoundError
            If there is none of that identifier.
        """
        folder = self.settings.data / TRIALS / identity
        if not _IDENTITY.fullmatch(identity) or not folder.is_dir():
            raise NotFoundError("There is no trial of that identifier.")
        return folder

    def _keep(
        self, uploads: Sequence[Upload], shelf: Path, names: Sequence[str], program: str
    ) -> tuple[str, dict[str, Any]]:
        """Save, check and keep an upload; return its identifier and what the check found."""
        place = Path(tempfile.mkdtemp(prefix="upload-", dir=self.settings.data))
        try:
            save_upload(uploads, place, most_unpacked=self.settings.most_unpacked, names=names)
            limits = {"most_memory": self.settings.most_memory, "most_seconds": self.settings.most_seconds}
            overview = parse_in_worker(place, program=program, **limits)
            identity = _identify(place, names)
            kept = shelf / identity
            if not kept.exists():
                place.rename(kept)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        return identity, overview

    def open(self, identity: str) -> Record:
        """Return a record.

        Raises
        ------
        NotFoundError
            If there is none of that identifier.
        """
        if identity in list_examples():
            return _load(identity)
        if not _IDENTITY.fullmatch(identity) or self.storage.find_record(identity) is None:
            raise NotFoundError("There is no record of that identifier.")
        return _read(self.settings.data / RECORDS / identity)

    def choose_subject(self, identity: str, subject_id: str | None) -> str:
        """Return a subject of a record; without a name the record must hold exactly one.

        Raises
        ------
        InputError
            If the subject is not in the record, or none is named and there are several.
        """
        subjects = [str(name) for name in self.open(identity).subjects["subject_id"]]
        if subject_id is None and len(subjects) == 1:
            return subjects[0]
        if subject_id in subjects and subject_id is not None:
            return subject_id
        was = "left out" if subject_id is None else f"{subject_id!r}"
        raise InputError(
            f"`subject_id` must be one of the record's {len(subjects)} subjects, but was {was}. "
            f"Hint: one of {', '.join(subjects[:5])}{' ...' if len(subjects) > 5 else ''}."
        )

    def locate_result(self, kind: str, arguments: Mapping[str, Any]) -> tuple[str, Path]:
        """Return the key of a piece of work by this version, and the folder of its result."""
        words = "\n".join([kind, VERSION, *(f"{name}={arguments[name]}" for name in sorted(arguments))])
        key = hashlib.sha256(words.encode()).hexdigest()
        return key, self.settings.data / RESULTS / key
