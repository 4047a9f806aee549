"""Two hundred uploads that are wrong, each in a way that somebody has tried somewhere."""

import io
import json
import random
import zipfile

NAMES = ("subjects.csv", "events.csv", "observations.csv")
TRAVERSAL = [
    *("../subjects.csv", "../../etc/passwd", "/etc/passwd", "..\\..\\subjects.csv", "C:\\subjects.csv", "a/../b.csv"),
    *("subjects.csv/..", "./../subjects.csv", "subjects.csv\x00.png", "subjects.csv ", "sub/subjects.csv"),
    *("~/subjects.csv", "%2e%2e/subjects.csv", "....//subjects.csv", "\u202egpj.csv", "<script>alert(1)</script>.csv"),
    *("con", "nul.csv", ".", "..", "a" * 300 + ".csv", "subjects.csv;rm -rf x", "subjects.exe", "subjects.xlsx", "-"),
]
CELLS = [
    *("=1+1", "=cmd|' /C calc'!A0", "+1+1", "@SUM(A1)", "<script>alert(1)</script>", "'; DROP TABLE jobs; --"),
    *("\u0000", "\ufeff", "\u202e", "NaN", "inf", "-inf", "1e999", "12,5", "0x10", "9" * 400, "a" * 100_000),
    *("\ud7ff\ue000", "\u0301" * 500, "{{7*7}}", "{% include 'x' %}", "${7*7}", "../../x", "\t", '""', "NULL"),
]


def pack(entries, *, compression=zipfile.ZIP_DEFLATED):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target.getvalue()


def pack_link():
    entry = zipfile.ZipInfo("subjects.csv")
    entry.external_attr = 0o120777 << 16
    return pack([(entry, "/etc/passwd")])


def list_archives(good):
    files = [(name, good[name]) for name in NAMES]
    whole = pack(files)
    bombs = [pack([(name, b"0" * 5_000_000) for name in NAMES])]
    bombs.append(pack([("x.zip", pack([("y.zip", whole)]))]))
    bombs += [pack([(f"{k}.csv", b"") for k in range(count)]) for count in (17, 400)]
    cut = [whole[: len(whole) * k // 10] for k in range(10)]
    rng = random.Random(7)
    noisy = []
    for _ in range(14):
        bytes_ = bytearray(whole)
        for _ in range(40):
            bytes_[rng.randrange(len(bytes_))] = rng.randrange(256)
        noisy.append(bytes(bytes_))
    named = [pack([(name, b"a,b\n1,2\n"), *files[1:]]) for name in TRAVERSAL if "\x00" not in name]
    return [*bombs, *cut, pack_link(), pack([*files, files[0]]), b"PK\x03\x04" + b"\x00" * 50, b"", *named, *noisy]


def list_tables(good):
    """Three files of which one is wrong."""
    wrong = [
        b"",
        b"\n",
        b"\x00" * 1000,
        b"\xff\xfe\x00\x01",
        "å,ß\n".encode("latin-1"),
        b"subject_id\n",
        b"a,b,c\n1,2\n",
    ]
    wrong += [b'"' * 999, b"subject_id,subject_id\nx,y\n", b"%PDF-1.7", b"\x89PNG\r\n", b"{}", b"<html></html>"]
    wrong += [("subject_id,day,variable,value,unit\n" + f"p,{cell},{cell},{cell},{cell}\n").encode() for cell in CELLS]
    return [{**good, name: content} for name in NAMES for content in wrong]


def list_malformed_trials(manifest, outcomes):
    """Return results of a trial that are wrong, as lists of (name, bytes)."""
    plain = json.loads(manifest)
    design = plain["design"]
    wrong = [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b"[" * 100_000, b'{"design": 1e999}']
    changed = [
        {**plain, "design": None},
        {**plain, "failures": []},
        {**plain, "assumed": "<b>"},
        {**plain, "packages": 3},
    ]
    changed += [
        {**plain, "design": {**design, name: cell}} for name in ("arms", "days", "visits") for cell in CELLS[:8]
    ]
    changed += [{**plain, "design": {**design, "arms": [{**design["arms"][0], "name": cell}]}} for cell in CELLS]
    wrong += [json.dumps(one).encode("utf-8", "surrogatepass") for one in changed]
    spoilt = [outcomes[:k] for k in (0, 4, 100, len(outcomes) // 2)] + [b"PAR1" + b"\x00" * 99 + b"PAR1", b"a,b\n1,2\n"]
    uploads = [[("manifest.json", one), ("outcomes.parquet", outcomes)] for one in wrong]
    uploads += [[("manifest.json", manifest), ("outcomes.parquet", one)] for one in spoilt]
    uploads += [[(name, manifest)] for name in TRAVERSAL] + [
        [("trial.zip", pack([(name, b"x")]))] for name in TRAVERSAL[:8]
    ]
    return [*uploads, [("manifest.json", manifest)], [("trial.zip", pack([("manifest.json", b"0" * 11_000_000)]))]]


def list_malformed(good):
    """Return lists of (name, bytes), 200 or more."""
    uploads = [[("record.zip", content)] for content in list_archives(good)]
    uploads += [[(name, b"a,b\n1,2\n")] for name in TRAVERSAL]
    uploads += [[(name, good[name]) for name in NAMES if name != missing] for missing in NAMES]
    uploads += [[(name, good[name]) for name in NAMES] + [("subjects.csv", good["subjects.csv"])]]
    uploads += [list(files.items()) for files in list_tables(good)]
    return uploads
