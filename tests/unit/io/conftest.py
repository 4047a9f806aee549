"""A small invented study in SDTM, as text that tests change."""

import pytest

DM = (
    "STUDYID,DOMAIN,USUBJID,AGE,AGEU,SEX,ARM,RFSTDTC,RFPENDTC,DTHDTC\n"
    "S,DM,S-1,61,YEARS,F,A,2024-02-25,2024-12-31,\n"
    "S,DM,S-2,720,MONTHS,M,A,2024-02-25,,2024-09-01\n"
    "S,DM,S-3,50,YEARS,F,screen failure,,,\n"
)
EX = (
    "USUBJID,EXTRT,EXDOSE,EXDOSU,EXSTDTC,EXENDTC,EXSTDY\n"
    "S-1,FLUDARABINE,30,mg/m2,2024-02-25,2024-02-27,1\n"
    "S-1,IDECABTAGENE VICLEUCEL,225,10^6 CELLS,2024-03-01,2024-03-01,6\n"
    "S-1,IDECABTAGENE VICLEUCEL,225,10^6 CELLS,2024-03-01,2024-03-01,6\n"
    "S-2,ABECMA,4.5e8,CELLS,2024-03-02T10:30,,7\n"
)
LB = (
    "USUBJID,LBSEQ,LBTESTCD,LBTEST,LBSPEC,LBMETHOD,LBORRES,LBORRESU,LBSTRESN,LBSTRESC,LBSTRESU,LBSTNRLO,LBSTNRHI,"
    "LBLLOQ,LBSTAT,LBLOINC,LBDTC,LBDY\n"
    "S-1,1,MCPROT,Monoclonal Protein,SERUM,,31,g/L,31,31,g/L,,,,,33358-3,2024-02-27,3\n"
    "S-1,2,MCPROT,Monoclonal Protein,SERUM,,<1,g/L,,<1,g/L,,,,,33358-3,2024-03-29,34\n"
    "S-1,3,MCPROT,Monoclonal Protein,URINE,,300,mg/24h,300,300,mg/24h,,,,,,2024-03-29,\n"
    'S-1,4,KLCFR,"Kappa Light Chain, Free",SERUM,,40,mg/dL,,40,,,,,,,2024-03-29,\n'
    "S-1,5,IMMFIX,Immunofixation,SERUM,,Positive,,,POSITIVE,,,,,,,2024-03-29,\n"
    "S-1,6,PLAT,Platelets,BLOOD,,150,10^3/uL,150,150,10^9/L,150,400,,,,2024-03-29,\n"
    "S-1,7,NEUT,Neutrophils,BLOOD,,,,,,,,,,NOT DONE,,2024-03-29,\n"
    "S-1,8,SBCMA,Soluble BCMA,SERUM,ELISA,BLQ,ng/mL,,BLQ,ng/mL,,,2.5,,,2024-03-29,\n"
    "S-1,9,TROPONI,Troponin I,SERUM,,0.01,ng/mL,0.01,0.01,ng/mL,,,,,,2024-03-29,\n"
    "S-1,10,GLUC,Glucose,URINE,,5,mg/dL,5,5,mg/dL,,,,,,2024-03-29,\n"
    "S-2,1,PLAT,Platelets,BLOOD,,90,10^9/L,90,90,10^9/L,,,,,,,7\n"
    "S-2,2,PLAT,Platelets,BLOOD,,95,10^9/L,95,95,10^9/L,,,,,,,6\n"
)
VS = (
    "USUBJID,VSTESTCD,VSTEST,VSSTRESN,VSSTRESU,VSDTC\n"
    "S-1,TEMP,Temperature,38.5,C,2024-03-03T08:00\nS-1,TEMP,Temperature,39.1,C,2024-03-03T20:00\n"
    "S-1,TEMP,Temperature,98.6,F,2024-03-05\nS-1,WEIGHT,Weight,70,kg,2024-02-20\nS-1,OXYSAT,Oxygen,96,%,2024-03-03\n"
)
CM = (
    "USUBJID,CMTRT,CMDECOD,CMCAT,CMDOSE,CMDOSU,CMROUTE,CMSTDTC,CMENDTC\n"
    "S-1,Dexa,DEXAMETHASONE,,10,mg,INTRAVENOUS,2024-03-04,2024-03-05\n"
    "S-1,Tocilizumab,TOCILIZUMAB,,8,mg/kg,INTRAVENOUS,2024-03-04,\n"
    "S-1,Hydrocortisone cream,HYDROCORTISONE,,1,g,TOPICAL,2024-03-20,\n"
    "S-1,Darzalex,DARATUMUMAB,PRIOR ANTI-CANCER THERAPY,16,mg/kg,INTRAVENOUS,2023-11,2023-12\n"
    "S-1,Teclistamab,TECLISTAMAB,SUBSEQUENT ANTI-CANCER THERAPY,,,,2024-11,\n"
    "S-1,Aspirin,ACETYLSALICYLIC ACID,,100,mg,ORAL,2024-03-20,\n"
)
PR = "USUBJID,PRTRT,PRDECOD,PRSTDTC\nS-1,Leukapheresis,LEUKAPHERESIS,2024-01-20\nS-1,Plasmapheresis,,2024-01-10\n"
RS = (
    "USUBJID,RSSEQ,RSTESTCD,RSTEST,RSCAT,RSORRES,RSSTRESC,RSSTAT,RSEVAL,RSEVALID,RSDTC\n"
    "S-1,1,OVRLRESP,Overall Response,IMWG,VGPR,VGPR,,INVESTIGATOR,,2024-03-29\n"
    "S-1,2,OVRLRESP,Overall Response,IMWG,PD,PD,,INVESTIGATOR,,2024-10-05\n"
    "S-2,1,OVRLRESP,Overall Response,IMWG,,,NOT DONE,INDEPENDENT ASSESSOR,READER 1,2024-04-01\n"
)
SUPPRS = (
    "USUBJID,RDOMAIN,IDVAR,IDVARVAL,QNAM,QVAL\n"
    "S-1,RS,RSSEQ,2,PDOFL,Y\nS-1,RS,RSSEQ,2,NACTDT,2024-11-15\nS-1,RS,RSSEQ,1,OTHER,x\n"
)
AE = (
    "USUBJID,AETERM,AEDECOD,AETOXGR,AESEV,AEOUT,AESTDTC,AEENDTC\n"
    "S-1,CRS,Cytokine release syndrome,2,,RECOVERED/RESOLVED,2024-03-03,2024-03-06\n"
    "S-1,Headache,Headache,,MILD,,2024-03-09,\nS-2,Sepsis,Sepsis,5,,FATAL,2024-08-20,2024-09-01\n"
)
DD = "USUBJID,DDTESTCD,DDORRES,DDDTC\nS-2,PRCDTH,SEPSIS,2024-09-01\n"
STUDY = {
    "dm": DM,
    "ex": EX,
    "lb": LB,
    "vs": VS,
    "cm": CM,
    "pr": PR,
    "rs": RS,
    "supprs": SUPPRS,
    "ae": AE,
    "dd": DD,
}


def write_study(folder, **changes):
    """Write the study with changes; a domain that is None is left out."""
    folder.mkdir(exist_ok=True)
    for name, text in (STUDY | changes).items():
        if text is not None:
            (folder / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


@pytest.fixture
def study():
    """Text of each domain, by name in small letters."""
    return STUDY


@pytest.fixture
def write(tmp_path):
    """Write the study with changes into a folder of its own."""
    return lambda **changes: write_study(tmp_path / "study", **changes)
