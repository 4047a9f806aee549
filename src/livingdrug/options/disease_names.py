"""Names of diseases as trials write them, and which disease is a kind of which.

A pattern is written in small letters; ``~`` stands for an optional gap (space or dash), a space for a gap,
LEUK, LYM and TUM for the spellings of leukaemia, lymphoma and tumour. Acronyms are matched in capitals.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType

from livingdrug.options.spellings import compile_spellings


@dataclass(frozen=True, slots=True)
class DiseaseName:
    """A disease, what it is a kind of, and how it is written.

    Parameters
    ----------
    name, parent : str
    patterns : tuple of str
        Each as ``stem|pattern``: the stem is looked for first, because that is quick.
    acronyms : tuple of str
    """

    name: str
    parent: str
    patterns: tuple[str, ...] = ()
    acronyms: tuple[str, ...] = ()


_D = DiseaseName
_LEUKAEMIA = (
    _D("leukaemia", "haematological", ("leuk|LEUK",)),
    _D("acute_leukaemia", "leukaemia", ("acute|acute LEUK(?! or)",)),
    _D(
        "all",
        "acute_leukaemia",
        ("acute|acute lympho(?:blastic|cytic|id|matic|blast) LEUK", "lymphoblastic|lymphoblastic LEUK"),
        (r"ALL(?=/|\s*\)|\s+(?:or|and|who|with|in|patients|after|relapse|disease)\b)",),
    ),
    _D(
        "b_all",
        "all",
        (
            "acute|(?:pre~)?b(?:~(?:cell|lineage|precursor"
            "|lymphoblastic))?(?:~precursor)?~,?(?:~derived)?(?:~type)? acute lympho(?:blastic|cytic|id) LEUK",
            "acute|acute b~(?:(?:cell|lineage|precursor|lymphocyte)~)?(?:lympho(?:blastic|cytic|id)~)?LEUK",
            "acute|acute lympho(?:blastic|cytic|id) LEUK,?(?: of)?~\\(?b~(?:cell|precursor|lineage)",
            "acute|acute (?:precursor )?b~cell lympho(?:blastic|cytic|id) LEUK",
            "lymphoblastic|(?:precursor )?b~(?:cell )?(?:precursor )?lymphoblastic LEUK(?:~/~(?:LYM))?",
            "lymphoblastic|ph(?:iladelphia chromosome)?~(?:positive|\\+)~acute lymphoblastic LEUK",
        ),
        (r"(?:Pre-?)?B(?:CP)?[\s-]*(?:[Cc]ell[\s-]*)?(?:precursor[\s-]*)?ALL\b", r"BCP-ALL", r"Ph\s*\+?[\s-]*ALL"),
    ),
    _D(
        "t_all",
        "all",
        (
            "acute|t(?:~(?:cell|lineage|precursor|lymphoblastic))? acute lympho(?:blastic|cytic|id) LEUK",
            "acute|acute t~(?:cell|lymphocyte|lineage)?~(?:lympho(?:blastic|cytic|id)~)?LEUK",
            "lymphoblastic|t~(?:cell )?lymphoblastic LEUK(?:~/~LYM)?",
        ),
        (r"T-?\s?(?:cell )?ALL\b",),
    ),
    _D("lymphoblastic_lymphoma", "nhl", ("lymphoblast|lymphoblast(?:ic|oma)? LYM",)),
    _D("t_lbl", "lymphoblastic_lymphoma", ("lymphoblast|t~(?:cell )?lymphoblast(?:ic|oma) LYM",), (r"T-?\s?LBL",)),
    _D("b_lbl", "lymphoblastic_lymphoma", ("lymphoblast|b~(?:cell )?lymphoblast(?:ic|oma) LYM",), (r"B-?\s?LBL",)),
    _D(
        "aml",
        "acute_leukaemia",
        ("acute|acute (?:myel(?:oid|ogenous|ocytic|oblastic)|non~lymphocytic|granulocytic) LEUK",),
        (r"AML",),
    ),
    _D("apl", "aml", ("promyelocytic|acute promyelocytic LEUK",), (r"APL|APML",)),
    _D("mpal", "acute_leukaemia", ("phenotyp|(?:mixed|bi)~phenotyp(?:e|ic) (?:acute )?LEUK",), (r"MPAL",)),
    _D("cml", "leukaemia", ("chronic|chronic myel(?:oid|ogenous|ocytic) LEUK",), (r"CML",)),
    _D("cmml", "haematological", ("chronic|chronic myelomonocytic LEUK",), (r"CMML",)),
    _D("mds", "haematological", ("myelodysplas|myelodysplas(?:tic|ia)(?: (?:syndromes?|neoplasms?))?",), (r"MDS",)),
    _D(
        "bpdcn",
        "haematological",
        ("blastic|blastic plasmacytoid dendritic(?: cell (?:neoplasms?|LEUK))?",),
        (r"BPDCN",),
    ),
    _D("myeloid", "haematological", ("myeloid|myeloid (?:malignanc(?:y|ies)|neoplasms?|LEUK)",)),
    _D("myelofibrosis", "haematological", ("myelofibrosis|myelofibrosis",)),
    _D(
        "cll",
        "b_nhl",
        (
            "chronic|(?:b~cell )?chronic lympho(?:cytic|blastic|id|nic) LEUK",
            "chronic|chronic b~(?:cell )?lympho(?:cytic|id) LEUK",
            "lymphocytic|small lymphocytic LYM",
        ),
        (r"CLL(?![\s-]*1\b)", r"SLL"),
    ),
    _D(
        "pll",
        "leukaemia",
        ("prolymphocytic|b~cell prolymphocytic LEUK", "prolymphocytic|prolymphocytic LEUK"),
        (r"B-?PLL",),
    ),
    _D("t_pll", "t_cell", ("prolymphocytic|t~(?:cell )?prolymphocytic LEUK",), (r"T-?PLL",)),
    _D("hairy_cell", "b_nhl", ("hairy|hairy cell LEUK",), (r"HCL",)),
    _D("b_leukaemia", "b_cell", ("leuk|b~(?:cell|lineage|lymphocytic) (?:derived )?LEUK",)),
)
_LYMPHOMA = (
    _D("lymphoma", "haematological", ("lymphom|LYM",)),
    _D("nhl", "lymphoma", ("hodgkin|non~hodgkin(?:'?s)?(?:~LYM)?",), (r"NHL",)),
    _D(
        "b_nhl",
        "nhl",
        (
            "lymphom|b~(?:cell|lineage)(?: origin)?,?(?: derived)? (?:aggressive |indolent |mature )?LYM",
            "hodgkin|b~(?:cell|lineage)?~(?:derived )?non~hodgkin(?:'?s)?(?:~LYM)?",
            "hodgkin|non~hodgkin(?:'?s)?(?:~LYM)?,?~(?:of )?b~cell(?: origin)?",
            "lymphom|(?:aggressive|indolent) b~cell LYM",
        ),
        (r"B-?\s?(?:cell[\s-])?NHLs?",),
    ),
    _D("indolent_b_nhl", "b_nhl", ("indolent|indolent (?:b~cell )?(?:non~hodgkin(?:'?s)?~)?LYM",), (r"iNHL",)),
    _D(
        "lbcl",
        "b_nhl",
        ("large|large b~(?:cell )?LYM", "large|b~large~cell LYM"),
        (r"(?:r/r\s?)?LBCL",),
    ),
    _D(
        "dlbcl",
        "lbcl",
        (
            "diffuse|diffuse large[\\s,-]*(?:b[\\s,-]*)?(?:cells?)?[\\s,-]*(?:b~cell~)?(?:LYM|(?=\\())",
            "diffuse|LYM, large b~cell, diffuse",
        ),
        (r"DLBCL(?:[\s-]*NOS)?",),
    ),
    _D(
        "pmbcl",
        "lbcl",
        ("mediastinal|primary mediastinal(?: \\(thymic\\))?(?: \\(?thymic\\)?)?(?: large)?(?: b(?:~cell)?)?(?: LYM)?",),
        (r"PMBL", r"PMB?CL", r"PMLBCL"),
    ),
    _D(
        "hgbcl",
        "lbcl",
        (
            "grade|high~grade (?:mature )?b(?:~cell)?(?:~LYM|(?=\\W*with|\\W*nos))",
            "hit|(?:double|triple)[/\\s-]*(?:or triple )?~hit LYM",
        ),
        (r"HGBC?L", r"HGBCL"),
    ),
    _D(
        "transformed",
        "lbcl",
        (
            "transform|transformed (?:indolent|follicular|marginal zone|from)?~(?:b~cell )?(?:LYM|fl"
            "|(?:non~hodgkin(?:'?s)?~LYM))",
            "transform|transform(?:ed|ation|ations) (?:of|from) (?:(?:an?|prior|indolent|earlier"
            "|lower~grade) )*(?:follicular|marginal zone|b~cell"
            "|indolent)(?: b~cell)?(?: non~hodgkin(?:'?s)?)?(?:~LYM|~histology)",
            "transform|transform(?:ed|ation) follicular LYM",
        ),
        (r"[tT]FL", r"tMZL", r"tiNHL"),
    ),
    _D(
        "richter",
        "lbcl",
        (
            "richter|richter(?:'?s)?(?:~(?:transformation|syndrome))?",
            "transform|transform(?:ed|ation) (?:of|from) (?:chronic lymphocytic LEUK"
            "|cll)(?:[/\\s-]*(?:small lymphocytic LYM|sll))?(?: \\(richter(?:'?s)? (?:transformation"
            "|syndrome)\\))?",
        ),
    ),
    _D("thrbcl", "lbcl", ("rich|t~cell[/\\s-]*(?:histiocyte~)?rich(?: large)?(?: b~cell)?(?:~LYM)?",), (r"THRL?BCL",)),
    _D(
        "pcnsl",
        "lbcl",
        ("central|primary (?:central nervous system|cns)(?: b~cell)? LYM", "cns|primary cns LYM"),
        (r"PCNSL", r"CNSL"),
    ),
    _D("scnsl", "lbcl", ("secondary|secondary (?:central nervous system|cns) LYM",), (r"SCNSL",)),
    _D(
        "follicular",
        "b_nhl",
        ("follicular|follicular(?: b~cell)?(?:~non~hodgkin(?:'?s)?)?~LYM",),
        (r"FL(?:3B)?\b",),
    ),
    _D(
        "follicular_3b",
        "lbcl",
        (
            "follicular|(?:grade 3b (?:follicular LYM|fl)|large~cell follicular LYM"
            "|follicular LYM,? (?:\\()?(?:grade|figo grade) 3b)",
        ),
        (r"FL\s?3B", r"FL3B"),
    ),
    _D("mcl", "b_nhl", ("mantle|mantle~cell(?: LYM)?",), (r"MCL",)),
    _D("mzl", "b_nhl", ("marginal|(?:nodal |splenic |extranodal )*marginal~zone(?: b~cell)?(?: LYM)?",), (r"MZL",)),
    _D(
        "waldenstrom",
        "b_nhl",
        (
            "waldenstr|waldenstr(?:o|ö)e?m(?:'?s)?(?: macroglobulin(?:a)?emia)?",
            "waldenstr|waldenstr[oö]m",
            "lymphoplasmacytic|lymphoplasmacytic LYM",
            "waldenströ|waldenström(?:'?s)? macroglobulin(?:a)?emia",
        ),
        (r"WM\b", r"LPL\b"),
    ),
    _D("burkitt", "b_nhl", ("burkitt|burkitt(?:'?s)?(?:~like)?(?:~(?:LYM|LEUK)(?:[/\\s-]*(?:LYM|LEUK))?)?",)),
    _D("plasmablastic", "lbcl", ("plasmablastic|plasmablastic LYM",)),
    _D(
        "ptld", "b_nhl", ("post|post~transplant(?:ation)? lymphoproliferative(?: (?:disorders?|disease))?",), (r"PTLD",)
    ),
    _D(
        "hodgkin",
        "lymphoma",
        ("hodgkin|(?<!non)(?<!non[\\s-])(?:classical |classic )?hodgkin(?:'?s)?(?:~(?:LYM|disease))?",),
        (r"cHL\b", r"HL(?<![A-Za-z-]..)\b"),
    ),
    _D(
        "b_cell",
        "haematological",
        (
            "b-cell|b~(?:cell|lineage)(?: derived)? (?:haematologic(?:al)? |hematologic(?:al)? |lymphoid "
            "|hematopoietic )?(?:malignan(?:cy|cies|t (?:TUM|disease))|neoplasms?|TUM|cancers?"
            "|lymphoproliferative (?:disorders?|disease))",
            "b cell|b~(?:cell|lineage)(?: derived)? (?:haematologic(?:al)? |hematologic(?:al)? |lymphoid "
            "|hematopoietic )?(?:malignan(?:cy|cies|t (?:TUM|disease))|neoplasms?|TUM|cancers?"
            "|lymphoproliferative (?:disorders?|disease))",
        ),
    ),
    _D(
        "t_cell",
        "haematological",
        (
            "t-cell|t~(?:cell|lineage|lymphocyte)(?: derived)? (?:haematologic(?:al)? |hematologic(?:al)? "
            "|lymphoid )?(?:malignan(?:cy|cies|t TUM)|neoplasms?|TUM|cancers?|LYM)",
            "t cell|t~(?:cell|lineage|lymphocyte)(?: derived)? (?:haematologic(?:al)? |hematologic(?:al)? "
            "|lymphoid )?(?:malignan(?:cy|cies|t TUM)|neoplasms?|TUM|cancers?|LYM)",
            "hodgkin|t~cell non~hodgkin(?:'?s)?(?:~LYM)?",
        ),
        (r"T-?NHL", r"T-?cell NHL"),
    ),
    _D(
        "ptcl",
        "t_cell",
        ("peripheral|peripheral t~cell LYM(?:[\\s,-]*(?:nos|not otherwise specified))?",),
        (r"PTCLs?(?:-NOS)?",),
    ),
    _D("aitl", "ptcl", ("angioimmunoblastic|angio~?immunoblastic(?: t~cell)?(?: LYM)?",), (r"AITL",)),
    _D("alcl", "ptcl", ("anaplastic|(?:systemic )?anaplastic large~cell(?: LYM)?",), (r"ALCL",)),
    _D(
        "nk_t",
        "t_cell",
        ("extranodal|extranodal nk[/\\s-]*t(?:~cell)? LYM", "nk/t|(?:extranodal )?nk/t(?:~cell)? LYM"),
        (r"ENKT?C?L", r"NKTCL"),
    ),
    _D("eatl", "ptcl", ("enteropathy|enteropathy~(?:associated|type) t~cell LYM",), (r"EATL",)),
    _D(
        "ctcl",
        "t_cell",
        (
            "cutaneous|cutaneous t~cell LYM",
            "mycosis|mycosis fungoides",
            "sezary|sezary(?:'?s)?(?: syndrome)?",
            "sézary|sézary(?:'?s)?(?: syndrome)?",
        ),
        (r"CTCL",),
    ),
    _D("atll", "t_cell", ("adult|adult t~cell LEUK(?:[/\\s-]*LYM)?",), (r"ATLL", r"ATL(?!L)")),
    _D("t_lgl", "t_cell", ("granular|large granular (?:t )?lymphocyt(?:e|ic) LEUK",), (r"T?-?LGLL?",)),
    _D("hepatosplenic", "ptcl", ("hepatosplenic|hepatosplenic(?: t~cell)?(?: LYM)?",)),
    _D(
        "haematological",
        "",
        (
            "ematologic|ha?ematologic(?:al)? (?:malignan(?:cy|cies)|neoplasms?|cancers?|TUM|malignant disease)",
            "hematopoietic|hematopoietic malignan(?:cy|cies)",
            "lymphoid|lymphoid malignan(?:cy|cies)",
            "lymphohematopoietic|lympho~?hematopoietic malignan(?:cy|cies)",
        ),
    ),
)
_PLASMA = (
    _D(
        "plasma_cell",
        "haematological",
        ("plasma|plasma~cell (?:neoplasms?|disorders?|malignan(?:cy|cies)|dyscrasias?|TUM|disease)",),
    ),
    _D(
        "myeloma",
        "plasma_cell",
        ("myeloma|(?:multiple |plasma~cell |light chain )?myelomas?",),
        (r"(?:RR|r/r\s)?MM\b",),
    ),
    _D("smouldering", "plasma_cell", ("smo|smou?ldering (?:multiple )?myeloma",), (r"SMM",)),
    _D(
        "plasma_cell_leukaemia", "plasma_cell", ("plasma|plasma~cell LEUK", "plasma|plasma~cell carcinoma"), (r"PCL\b",)
    ),
    _D(
        "al_amyloidosis",
        "plasma_cell",
        ("amyloid|(?:primary |systemic |system )*(?:al|light~chain)?~\\(?(?:al)?\\)?~amyloidosis",),
    ),
    _D("poems", "plasma_cell", ("poems|poems(?: syndrome)?",)),
    _D("plasmacytoma", "plasma_cell", ("plasmacytoma|(?:solitary |extramedullary )?plasmacytomas?",)),
)


REACH = 120
"""Letters before and after its stem within which a name stands."""


def _list_names() -> Iterator[DiseaseName]:
    from livingdrug.options.disease_names_solid import AUTOIMMUNE, SOLID

    yield from (*_LEUKAEMIA, *_LYMPHOMA, *_PLASMA)
    yield from (DiseaseName(*row) for row in (*SOLID, *AUTOIMMUNE))


_MACROS = {
    "LEUK": r"leuka?emias?",
    "LYM": r"lymphomas?",
    "TUM": r"tumou?rs?",
    " ": r"[\s-]+",
    "~": r"[\s-]*",
}


def _compile(pattern: str) -> re.Pattern[str]:
    for name, spelling in _MACROS.items():
        pattern = pattern.replace(name, spelling)
    return re.compile(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])")


@cache
def list_patterns() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """Return name, stem and pattern, for text in small letters."""
    return tuple((disease.name, *_split_stem(pattern)) for disease in _list_names() for pattern in disease.patterns)


@cache
def _list_stems() -> tuple[str, ...]:
    return tuple(dict.fromkeys(stem for _, stem, _ in list_patterns()))


def _list_windows(lower: str, stem: str) -> list[tuple[int, int]]:
    """Return the stretches of a text, cut between words, in which a name with this stem may stand."""
    windows: list[tuple[int, int]] = []
    place = lower.find(stem)
    while place >= 0:
        first = max(0, place - REACH, windows[-1][1] if windows and windows[-1][1] > place - REACH else 0)
        last = lower.find(" ", place + REACH)
        last = len(lower) if last < 0 else last
        if windows and first == windows[-1][1]:
            first = windows.pop()[0]
        windows.append((first, last))
        place = lower.find(stem, place + len(stem))
    return windows


def _split_stem(pattern: str) -> tuple[str, re.Pattern[str]]:
    stem, _, rest = pattern.partition("|")
    return stem, _compile(rest)


@cache
def _compile_acronyms() -> tuple[re.Pattern[str], tuple[tuple[str, re.Pattern[str]], ...]]:
    """Return one pattern without groups, which is quick, and one for each name."""
    pairs = [(disease.name, acronym) for disease in _list_names() for acronym in disease.acronyms]
    each = tuple((name, re.compile(rf"(?:{acronym})(?![A-Za-z0-9])")) for name, acronym in pairs)
    return compile_spellings((acronym for _, acronym in pairs), after="(?![A-Za-z0-9])"), each


@cache
def list_parents() -> Mapping[str, str]:
    """Return what each disease is a kind of."""
    return MappingProxyType({disease.name: disease.parent for disease in _list_names()})


@cache
def list_ancestors(name: str) -> tuple[str, ...]:
    """Return a disease and everything it is a kind of.

    Examples
    --------
    >>> list_ancestors("pmbcl")
    ('pmbcl', 'lbcl', 'b_nhl', 'nhl', 'lymphoma', 'haematological')
    """
    chain, parents = [name], list_parents()
    while parents.get(chain[-1]):
        chain.append(parents[chain[-1]])
    return tuple(chain)


_ALSO: Mapping[str, tuple[str, ...]] = {
    "b_cell": ("b_all", "b_nhl", "b_lbl", "b_leukaemia", "pll", "hairy_cell"),
    "t_cell": ("t_all", "t_lbl"),
    "leukaemia": ("cll",),
    "b_leukaemia": ("b_all", "cll", "pll", "hairy_cell"),
    "myeloid": ("aml", "cml", "mds", "cmml"),
}
"""Groups that cut across the tree."""


@cache
def is_kind_of(name: str, group: str) -> bool:
    """Whether a disease is another, or a kind of it.

    Examples
    --------
    >>> is_kind_of("dlbcl", "b_cell"), is_kind_of("b_nhl", "dlbcl"), is_kind_of("hodgkin", "nhl")
    (True, False, False)
    """
    chain = list_ancestors(name)
    return group in chain or any(member in chain for member in _ALSO.get(group, ()))


def find_acronyms(plain: str) -> Iterator[tuple[int, int, str]]:
    """Return start, end and name of every acronym, in text with its capitals."""
    pattern, each = _compile_acronyms()
    for found in pattern.finditer(plain):
        matches = ((name, one.match(plain, found.start())) for name, one in each)
        name = next((name for name, match in matches if match and match.end() == found.end()), "")
        if name:
            yield found.start(), found.end(), name


@lru_cache(maxsize=256)
def find_diseases(plain: str, lower: str) -> tuple[tuple[int, int, str], ...]:
    """Return start, end and name of every disease that a text names; the longest name wins.

    Examples
    --------
    >>> text = "Relapsed B-cell non-Hodgkin lymphoma (DLBCL or MCL), no Hodgkin lymphoma"
    >>> [name for _, _, name in find_diseases(text, text.lower())]
    ['b_nhl', 'dlbcl', 'mcl', 'hodgkin']
    """
    windows = {stem: _list_windows(lower, stem) for stem in _list_stems()}
    found = [
        (match.start(), match.end(), name)
        for name, stem, pattern in list_patterns()
        for first, last in windows[stem]
        for match in pattern.finditer(lower, first, last)
        if match.end() > match.start()
    ]
    found += find_acronyms(plain)
    found.sort(key=lambda item: (item[0] - item[1], -len(list_ancestors(item[2]))))
    taken: list[tuple[int, int, str]] = []
    for start, end, name in found:
        if all(end <= first or start >= last for first, last, _ in taken):
            taken.append((start, end, name))
    return tuple(sorted(taken))
