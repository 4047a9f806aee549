"""What other standards call our variables, events, products and units: tables without a number in them."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class LoincCode:
    """A LOINC code and what it stands for here.

    Parameters
    ----------
    code, variable : str
    unit : str
        UCUM, in which laboratories usually report it.
    status : str
        V code and meaning seen, S seen without its meaning, C in conflict, M from memory.
    note : str
    """

    code: str
    variable: str
    unit: str
    status: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class SdtmTest:
    """A test of an SDTM findings domain: its code or its name, in a specimen, and our variable."""

    domain: str
    code: str
    name: str
    specimen: str
    variable: str


@cache
def load_loinc_codes() -> Mapping[str, LoincCode]:
    """Load the LOINC codes that are known here, by code.

    Examples
    --------
    >>> load_loinc_codes()["33358-3"].variable, load_loinc_codes()["42482-0"].status
    ('m_protein', 'C')
    """
    codes = (LoincCode(*row) for row in _read("loinc.csv"))
    return MappingProxyType({code.code: code for code in codes})


@cache
def load_sdtm_tests() -> tuple[SdtmTest, ...]:
    """Load the tests of SDTM that have a variable here, in the order in which they are tried.

    Examples
    --------
    >>> [test.variable for test in load_sdtm_tests() if test.code == "PLAT"]
    ['platelets']
    """
    return tuple(SdtmTest(*row) for row in _read("sdtm_tests.csv"))


@cache
def load_sdtm_treatments() -> tuple[tuple[str, str], ...]:
    """Load pairs of a word in the name of a treatment and the type of event that it is.

    Examples
    --------
    >>> dict(load_sdtm_treatments())["TOCILIZUMAB"]
    'tocilizumab'
    """
    return tuple((row[0], row[1]) for row in _read("sdtm_treatments.csv"))


@cache
def load_sdtm_products() -> tuple[tuple[str, str], ...]:
    """Load pairs of a word in the name of a product and our name of it.

    Examples
    --------
    >>> dict(load_sdtm_products())["TISAGENLECLEUCEL"]
    'tisa_cel'
    """
    return tuple((row[0], row[1]) for row in _read("sdtm_products.csv"))


@cache
def load_sdtm_units() -> Mapping[str, str]:
    """Load the units that SDTM spells in its own way, with their UCUM spelling.

    Examples
    --------
    >>> load_sdtm_units()["C"]
    'Cel'
    """
    return MappingProxyType({row[0]: row[1] for row in _read("sdtm_units.csv")})


def _read(name: str) -> list[list[str]]:
    """Return the rows of a packaged table below its header."""
    text = files("livingdrug.knowledge").joinpath("data", "exchange", name).read_text(encoding="utf-8")
    return list(csv.reader(text.splitlines(), strict=True))[1:]
