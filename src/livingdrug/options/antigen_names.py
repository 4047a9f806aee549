"""Names of target antigens as trials write them, and the antigens of products that a title may name instead."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType

from livingdrug.options.spellings import compile_spellings

ANTIGENS: Mapping[str, str] = MappingProxyType(
    {
        "BCMA": r"BCMA|TNFRSF17|CD269|[Bb]-?[Cc]ell [Mm]aturation [Aa]ntigen",
        "GPRC5D": r"GPRC5D|G protein-coupled receptor(?: class C,?)?(?: group 5,?)?(?: member D)?",
        "FcRH5": r"Fc[Rr][HL]5|FCRL5|FCRH5|CD307",
        "CD19": r"CD-?\s?19(?![0-9])",
        "CD20": r"CD-?20(?![0-9])|MS4A1",
        "CD22": r"CD-?22(?![0-9])",
        "BAFF-R": r"BAFF-?R(?:eceptor)?|TNFRSF13C",
        "CD79b": r"CD79[bB]|CD79a",
        "CD30": r"CD-?30(?![0-9])",
        "CD33": r"CD-?33(?![0-9])",
        "CD123": r"CD-?123(?![0-9])|IL-?3R(?:A|α)",
        "CLL1": r"CLL-?1(?![0-9])|CLEC12A|CD371",
        "FLT3": r"FLT-?3(?![-\s]*(?:ITD|TKD|inhib|mutat))|CD135",
        "CD7": r"CD-?7(?![0-9])",
        "CD5": r"CD-?5(?![0-9])",
        "CD38": r"CD-?38(?![0-9])",
        "CD138": r"CD-?138(?![0-9])|[Ss]yndecan-?1",
        "SLAMF7": r"SLAMF7|CS-?1(?![0-9])|CD319",
        "CD70": r"CD-?70(?![0-9])",
        "CD4": r"CD4(?=-?\s?(?:CAR|positive T|\+ T-cell (?:lymph|leuk)))",
        "CD37": r"CD-?37(?![0-9])",
        "CD72": r"CD-?72(?![0-9])",
        "CD74": r"CD-?74(?![0-9])",
        "CD147": r"CD-?147(?![0-9])",
        "CD276": r"CD-?276|B7-?H3",
        "CD117": r"CD-?117(?![0-9])|c-?KIT",
        "CD1a": r"CD1a",
        "CD2": r"CD-?2(?![0-9])",
        "CD6": r"CD-?6(?![0-9])",
        "CD24": r"CD-?24(?![0-9])",
        "CD44v6": r"CD44v6",
        "CD133": r"CD-?133(?![0-9])",
        "CD171": r"CD-?171|L1-?CAM",
        "CD93": r"CD-?93(?![0-9])",
        "CD229": r"CD-?229",
        "TRBC1": r"TRBC-?1(?![0-9])",
        "TRBC2": r"TRBC-?2(?![0-9])",
        "TIM3": r"TIM-?3(?![0-9])",
        "ILT3": r"ILT-?3|LILRB4",
        "SIGLEC6": r"[Ss][Ii][Gg][Ll][Ee][Cc]-?6",
        "ADGRE2": r"ADGRE2",
        "ROR1": r"ROR-?1(?![0-9])",
        "APRIL": r"APRIL",
        "TACI": r"TACI",
        "mesothelin": r"[Mm]esothelin|MSLN|MESO(?![a-zA-Z])",
        "GPC3": r"GPC-?3(?![0-9])|[Gg]lypican[- ]?3",
        "GPC2": r"GPC-?2(?![0-9])|[Gg]lypican[- ]?2",
        "GPC1": r"GPC-?1(?![0-9])|[Gg]lypican[- ]?1(?![0-9])",
        "CLDN18.2": r"CLDN\s?-?18[._]2|[Cc]laudin[- ]?18[._]2|CLD18",
        "CLDN6": r"CLDN-?6|[Cc]laudin[- ]?6",
        "HER2": r"HER-?2(?:/neu)?|[Ee]rb[Bb]-?2|ERBB2",
        "EGFRvIII": r"EGFR-?\s?v\s?III",
        "EGFR": r"EGFR(?!-?\s?v\s?III|t)|[Ee]pidermal [Gg]rowth [Ff]actor [Rr]eceptor",
        "GD2": r"GD-?2(?![0-9])|[Dd]isialoganglioside",
        "IL13Ra2": r"IL-?13R(?:\s?-?(?:alpha|α|a)\s?-?2)",
        "PSMA": r"PSMA|[Pp]rostate[- ][Ss]pecific [Mm]embrane [Aa]ntigen",
        "PSCA": r"PSCA|[Pp]rostate [Ss]tem [Cc]ell [Aa]ntigen",
        "CEA": r"CEA(?:CAM5)?|[Cc]arcinoembryonic [Aa]ntigen|CEACAM5",
        "MUC1": r"(?:Tn-?)?MUC-?1(?![0-9])",
        "MUC16": r"MUC-?16|CA-?125(?=[- ](?:positive|express))",
        "MUC17": r"MUC-?17",
        "EpCAM": r"Ep-?CAM|EPCAM",
        "TROP2": r"TROP-?2|[Tt]rop-?2",
        "NECTIN4": r"[Nn]ectin-?4|NECTIN-?4",
        "DLL3": r"DLL-?3",
        "ALPP": r"ALPP(?:L2)?",
        "AFP": r"AFP(?=[- ]?(?:positive|expression|specific))",
        "GUCY2C": r"GUCY2C|GCC(?![A-Za-z])",
        "CDH17": r"CDH-?17|[Cc]adherin[- ]?17",
        "LGR5": r"LGR-?5",
        "ROBO1": r"ROBO-?1",
        "CAIX": r"CA-?\s?IX|[Cc]arbonic [Aa]nhydrase IX",
        "FRa": r"FR[\s-]?(?:α|a|alpha)(?![a-z])|FOLR1|[Ff]olate [Rr]eceptor(?:[- ](?:alpha|α))?",
        "B7H6": r"B7-?H6",
        "NKG2DL": r"NKG2DL|MIC-?A/B|NKG2D[- ][Ll]igands?",
        "PD-L1": r"PD-?L1",
        "LeY": r"Le[Yy](?![a-z])|Lewis[- ]?Y",
        "EphA2": r"Eph[Aa]-?2",
        "FAP": r"FAP(?![a-z])",
        "cMET": r"c-?MET(?![a-z])",
        "AXL": r"AXL(?![a-z])",
        "VEGFR2": r"VEGFR-?2",
        "5T4": r"5T4",
        "SSTR2": r"SSTR-?2|[Ss]omatostatin [Rr]eceptor",
        "GFRa4": r"GFR(?:α|a)4",
        "TSHR": r"TSHR",
        "PTK7": r"PTK-?7",
        "LILRB4": r"LILRB-?4",
        "KLK2": r"KLK-?2|hK2",
        "STEAP1": r"STEAP-?1|STEAP-?2",
        "EBV": r"EBV[- ]?(?:LMP1?|gp350)|LMP1",
        "CD56": r"CD-?56(?=[- ]?CAR)",
        "integrin_b7": r"[Ii]ntegrin (?:beta|β)-?7",
        "CCR9": r"CCR-?9(?![0-9])",
        "CCR4": r"CCR-?4(?![0-9])",
        "CD83": r"CD-?83(?![0-9])",
        "CD21": r"CD-?21(?![0-9])",
        "CD84": r"CD-?84(?![0-9])",
        "CD99": r"CD-?99(?![0-9])",
        "CD25": r"CD-?25(?=[- ]?(?:positive|CAR|express))",
        "CD96": r"CD-?96(?![0-9])",
        "CD97": r"CD-?97(?![0-9])",
        "CD47": r"CD-?47(?![0-9])",
        "FGFR4": r"FGFR-?4(?![0-9])",
        "ALK": r"ALK(?=[- ]?(?:CAR|express))",
        "GRP78": r"GRP-?78",
        "uPAR": r"uPAR(?![a-z])",
        "MMP2": r"MMP-?2(?![0-9])|[Cc]hlorotoxin",
        "IL1RAP": r"IL-?1RAP",
        "CD318": r"CD-?318",
    }
)
"""Name and spellings; capitals matter."""

PRODUCTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        r"axi-?cel|axicabtagene|yescarta|kte-c19": ("CD19",),
        r"tisa-?cel|tisagenlecleucel|kymriah|ctl019": ("CD19",),
        r"liso-?cel|lisocabtagene|breyanzi|jcar017|jcar014": ("CD19",),
        r"brexu-?cel|brexucabtagene|tecartus|kte-x19": ("CD19",),
        r"obe-?cel|obecabtagene|auto1\b": ("CD19",),
        r"relma-?cel|relmacabtagene|inaticabtagene|cnct19|cart-?19|mb-cart19": ("CD19",),
        r"ide-?cel|idecabtagene|abecma|bb2121": ("BCMA",),
        r"cilta-?cel|ciltacabtagene|carvykti|lcar-b38m|jnj-68284528": ("BCMA",),
        r"zevor-?cel|zevorcabtagene|eque-?cel|equecabtagene|anito-?cel|anitocabtagene": ("BCMA",),
        r"arlo-?cel|arlocabtagene|bms-986393": ("GPRC5D",),
        r"satri-?cel|satricabtagene|ct041": ("CLDN18.2",),
    }
)
"""Products by their names, in small letters, and what they bind."""

_GLUED = r"(?:(?<![A-Za-z0-9].)|(?<=CD19.)|(?<=CD20.)|(?<=CD22.)|(?<=BCMA.)|(?<=[Aa]nti.))"
"""What may stand before a name, as of the place behind its first letter."""
_END = r"(?![a-z0-9])"
JOIN = r"\s*(?:,|/|and/or|and|or|&|\+(?=\s*CD)|,\s*(?:and|or))\s*"
"""What stands between the antigens of a list."""
GAP = r"(?:\s*\([^()]{0,40}\))?"


_SMALL = (
    *(
        "ell maturation",
        "ell Maturation",
        "yndecan",
        "siglec",
        "omatostatin",
        "c-KIT",
        "cKIT",
        "c-MET",
        "cMET",
        "laudin",
    ),
    *(
        "laudin",
        "arcinoembryonic",
        "adherin1",
        "adherin-1",
        "adherin 1",
        "arbonic",
        "hlorotoxin",
        "esothelin",
        "lypican",
    ),
    *(
        "erbB",
        "erbb",
        "pidermal",
        "isialo",
        "rostate s",
        "rostate-s",
        "rostate S",
        "rostate-S",
        "trop2",
        "trop-2",
        "ectin4",
    ),
    *("ectin-4", "olate r", "olate R", "hK2", "ntegrin", "uPAR"),
)
"""One of these stands in a text that has a name beginning with a small letter: a quick look before the long one."""


@cache
def _compile(*, is_small: bool) -> re.Pattern[str]:
    """Return one pattern for the names that begin with a small letter, or for the others."""
    return compile_spellings(ANTIGENS.values(), before=_GLUED, after=_END, is_small=is_small)


@cache
def _compile_each() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, re.compile(rf"(?:{spelling}){_END}")) for name, spelling in ANTIGENS.items())


def find_antigens(plain: str) -> list[tuple[int, int, str]]:
    """Return start, end and name of every antigen that a text names.

    Examples
    --------
    >>> [name for _, _, name in find_antigens("CD19 or CD190, EGFRvIII, anti-BCMA, B7-H3, CCR9")]
    ['CD19', 'EGFRvIII', 'BCMA', 'CD276', 'CCR9']
    """
    return list(_find_antigens(plain))


@lru_cache(maxsize=64)
def _find_antigens(plain: str) -> tuple[tuple[int, int, str], ...]:
    matches = [*_compile(is_small=False).finditer(plain)]
    if any(part in plain for part in _SMALL):
        matches = sorted([*matches, *_compile(is_small=True).finditer(plain)], key=lambda match: match.start())
    found = []
    for match in matches:
        each = ((name, pattern.match(plain, match.start())) for name, pattern in _compile_each())
        name = next((name for name, whole in each if whole and whole.end() == match.end()), "")
        found.append((match.start(), match.end(), name))
    return tuple(item for item in found if item[2])


def find_product_targets(text: str) -> tuple[str, ...]:
    """Return the antigens that the names of a trial's products tell, by antigen or by product.

    Examples
    --------
    >>> find_product_targets("CD19/CD22 CAR-T cells"), find_product_targets("Axicabtagene Ciloleucel")
    (('CD19', 'CD22'), ('CD19',))
    """
    targets = [name for _, _, name in find_antigens(text)]
    lower = text.lower()
    for pattern, antigens in PRODUCTS.items():
        if re.search(pattern, lower):
            targets += antigens
    return tuple(dict.fromkeys(targets))
