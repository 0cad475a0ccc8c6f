"""Data sets are found where they should be, and a download is checked to the last bit."""

import hashlib
import http.server
import os
import sys
import threading
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from gossan import datasets
from gossan._checks import GossanWarning

ELEMENTS = list(datasets.SPHALERITE_ELEMENTS)
NAMES = (
    "alaska_southeast clark_dump cloncurry_iocg_wofe copper_creek globalid_pb jura meuse"
    " nanling_lithium shamkya_gold sphalerite wolfpass yukon yukon_conformance"
)


def entry_of(content, **more):
    """Return a registry entry of a made-up set with one file `a b.csv`."""
    files = {"part/a b.csv": [len(content), hashlib.sha256(content).hexdigest()]}
    return {"title": "Toy", "rows": 1, "licence": "CC0", "citation": "us", "files": files, **more}


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """Work in an empty folder, with an empty cache and no GOSSAN_DATA."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.delenv("GOSSAN_DATA", raising=False)
    monkeypatch.setattr(datasets, "_cache_folder", lambda: tmp_path / "cache")
    return tmp_path


@pytest.fixture
def toy(monkeypatch):
    """Return a function that makes one made-up data set `toy` the only known one."""

    def register(**entry):
        monkeypatch.setattr(datasets, "_registry", lambda: {"toy": entry})

    return register


@pytest.fixture
def server():
    """Serve the dictionary path -> bytes (returned with the address) on this machine."""
    answers, asked = {}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            content = answers.get(self.path)
            self.send_response(200 if content is not None else 404)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}", answers, asked
        httpd.shutdown()
        thread.join()


def put(folder, content=b"x,y\n1,2\n"):
    """Write the file of the toy set below `folder`."""
    path = folder / "toy" / "part" / "a b.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


# The registry


def test_the_registry_names_all_sets_with_licence_citation_and_hashes():
    registry = datasets._registry()
    assert list(registry) == NAMES.split()
    for name, entry in registry.items():
        assert entry["licence"], name
        assert entry["citation"], name
        assert ("base" in entry) + ("sheets" in entry) + ("obtain" in entry) == 1, name
        assert all(size > 0 and len(sha) == 64 for size, sha in entry["files"].values()), name


def test_downloads_come_over_https_from_a_stated_commit():
    for entry in datasets._registry().values():
        for url in [entry.get("base"), *entry.get("sheets", [])]:
            assert url is None or url.startswith("https://")
            assert url is None or any(
                len(part) >= 7 and set(part) <= set("0123456789abcdef") for part in url.split("/")
            )


def test_the_list_shows_what_was_found_and_opens_nothing(nowhere, toy):
    toy(**entry_of(b"x", obtain="Ask"))
    put(nowhere / "work" / "data", b"anything")
    table = datasets.list_datasets()
    assert list(table.columns) == [
        *("name", "title", "rows", "found", "download", "licence", "citation")
    ]
    row = table.iloc[0]
    assert Path(row["found"]) == (nowhere / "work" / "data" / "toy").resolve()
    assert (row["rows"], row["download"]) == (1, False)


def test_the_list_says_when_nothing_was_found(nowhere):
    table = datasets.list_datasets()
    assert (table["found"] == "").all()
    assert table["name"].tolist() == NAMES.split()


# Where it looks


@pytest.mark.parametrize("place", ["data", "gossan-data", "shared/data", "../shared/data"])
def test_a_set_is_found_in_a_local_folder(nowhere, toy, place):
    content = b"x,y\n1,2\n"
    toy(**entry_of(content, obtain="Ask"))
    path = put(nowhere / "work" / place, content)
    assert datasets.find("toy") == path.parents[1].resolve()
    assert datasets.find("toy", "part/a b.csv") == path.resolve()


def test_the_environment_comes_first_and_may_name_several_folders(nowhere, toy, monkeypatch):
    content = b"x,y\n1,2\n"
    toy(**entry_of(content, obtain="Ask"))
    put(nowhere / "work" / "data", content)
    path = put(nowhere / "second", content)
    monkeypatch.setenv(
        "GOSSAN_DATA", os.pathsep.join([str(nowhere / "no"), str(nowhere / "second")])
    )
    assert datasets.find("toy", "part/a b.csv") == path.resolve()


def test_a_changed_local_file_is_used_with_a_warning(nowhere, toy):
    toy(**entry_of(b"x,y\n1,2\n", obtain="Ask"))
    path = put(nowhere / "work" / "data", b"x,y\n1,3\n")
    with pytest.warns(GossanWarning, match=r"1 of 1 files of the data set 'toy' differ"):
        assert datasets.find("toy", "part/a b.csv") == path.resolve()


def test_an_unknown_set_or_file_gets_a_hint(nowhere):
    with pytest.raises(ValueError, match="Did you mean 'sphalerite'"):
        datasets.find("sphalerit")
    with pytest.raises(ValueError, match=r"Did you mean 'sphalerite\.csv'"):
        datasets.find("sphalerite", "sphalerites.csv")


def test_a_set_that_cannot_be_downloaded_says_how_to_obtain_it(nowhere, monkeypatch):
    monkeypatch.setenv("GOSSAN_DATA", str(nowhere / "gone"))
    with pytest.raises(FileNotFoundError) as caught:
        datasets.find("yukon")
    message = str(caught.value)
    assert "'yukon' was not found" in message
    assert "gone, which does not exist" in message
    assert "Not redistributable" in message
    assert "GOSSAN_DATA" in message


def test_looking_only_locally_downloads_nothing(nowhere, toy, server):
    address, _, asked = server
    toy(**entry_of(b"x", base=address))
    with pytest.raises(FileNotFoundError, match="Call find with download=True"):
        datasets.find("toy", download=False)
    assert asked == []


@pytest.mark.parametrize(
    ("platform", "variable", "ending"),
    [
        ("linux", "XDG_CACHE_HOME", "gossan"),
        ("win32", "LOCALAPPDATA", "gossan/Cache"),
        ("darwin", None, "Library/Caches/gossan"),
    ],
)
def test_the_cache_is_where_the_platform_wants_it(
    tmp_path, monkeypatch, platform, variable, ending
):
    monkeypatch.setattr(sys, "platform", platform)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path))
        assert datasets._cache_folder() == tmp_path / ending
        monkeypatch.delenv(variable)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    assert datasets._cache_folder().is_relative_to(tmp_path / "home")
    assert datasets._cache_folder().as_posix().endswith(ending)


# Downloads


def test_a_download_lands_in_the_cache_and_is_not_repeated(nowhere, toy, server):
    address, answers, asked = server
    content = b"x,y\n1,2\n"
    answers["/part/a%20b.csv"] = content
    toy(**entry_of(content, base=address))
    path = datasets.find("toy", "part/a b.csv")
    assert path.read_bytes() == content
    assert path.is_relative_to(nowhere / "cache")
    assert datasets.find("toy") == (nowhere / "cache" / "toy").resolve()
    assert asked == ["/part/a%20b.csv"]
    assert [p.name for p in path.parent.iterdir()] == ["a b.csv"]  # no half files


@pytest.mark.parametrize(
    ("sent", "reason"), [(b"x,y\n1,3\n", "SHA-256 .* expected"), (b"x" * 99, "more than 8 bytes")]
)
def test_a_download_that_is_not_the_published_file_is_refused(nowhere, toy, server, sent, reason):
    address, answers, _ = server
    answers["/part/a%20b.csv"] = sent
    toy(**entry_of(b"x,y\n1,2\n", base=address))
    with pytest.raises(ValueError, match=f"not what was published.*{reason}"):
        datasets.find("toy")
    assert not any(path.is_file() for path in nowhere.rglob("*"))


def test_a_missing_page_is_a_connection_error_that_says_what_to_do(nowhere, toy, server):
    toy(**entry_of(b"x", base=server[0]))
    with pytest.raises(ConnectionError, match=r"404.*Go online and try again, or put the files"):
        datasets.find("toy")


def test_being_offline_is_a_connection_error_that_says_what_to_do(nowhere, toy):
    toy(**entry_of(b"x", base="http://127.0.0.1:9"))  # the discard port: nobody answers
    with pytest.raises(ConnectionError, match=r"'toy' could not be downloaded.*GOSSAN_DATA"):
        datasets.find("toy", timeout=2)


# The sphalerite table


def write_sheet(path, rows):
    """Write a workbook like the published one: title, blank row, header, rows, references."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Supplementary Data Table S1. Trace elements in sphalerite (ppm)"])
    sheet.append([])
    sheet.append(
        ["Number", "Deposit", "Sample", "Deposit Type", *(f"{e} " for e in ELEMENTS), "References"]
    )
    for row in rows:
        sheet.append(row)
    sheet.append([])
    sheet.append(["References"])
    sheet.append(["Cook, N.J. et al. 2009. Trace and minor elements in sphalerite."])
    book.save(path)
    return path


def sheet_row(number, *, study="Cook et al., 2009", **elements):
    """Return one row of the sheet; elements not named get a value of their own."""
    values = [elements.get(e, 10.0 * number + i) for i, e in enumerate(ELEMENTS)]
    return [number, " Baia ", "S1", "Epithermal ", *values, study]


def test_the_sheet_is_tidied_to_a_plain_table(tmp_path):
    rows = [sheet_row(1, Mn="<0.5"), sheet_row(2, In="< 0.02"), sheet_row(3)]
    table = datasets._tidy_sphalerite(write_sheet(tmp_path / "s.xlsx", rows))
    assert list(table.columns) == [
        *("id", "deposit", "type", "sample", *ELEMENTS),
        *(f"cens_{element}" for element in ELEMENTS),
        "reference",
    ]
    assert table["id"].tolist() == [1, 2, 3]
    assert table["deposit"].unique().tolist() == ["Baia"]
    assert table["type"].unique().tolist() == ["Epithermal"]
    assert table["Mn"].tolist() == [0.5, 20.0, 30.0]
    assert table["cens_Mn"].tolist() == [1, 0, 0]
    assert table.loc[1, ["In", "cens_In"]].tolist() == [0.02, 1]


def test_repeated_low_values_of_one_study_are_suspected_substitutes(tmp_path):
    # Five of twelve Co values of one study are 0.01: frequent (>= 5 rows, >= 10 %) and low.
    rows = [sheet_row(n, Co=0.01 if n <= 5 else float(n)) for n in range(1, 13)]
    # Four equal values of another study are too few to tell; five equal high ones are not low.
    rows += [sheet_row(n, study="Ye", Co=0.01 if n <= 16 else float(n)) for n in range(13, 19)]
    rows += [sheet_row(n, study="Wu", Co=9e3 if n <= 23 else float(n)) for n in range(19, 35)]
    table = datasets._tidy_sphalerite(write_sheet(tmp_path / "s.xlsx", rows))
    assert table["cens_Co"].tolist() == [2] * 5 + [0] * 29


def test_the_suspects_of_the_real_table_follow_from_its_values(sphalerite):
    for element in ELEMENTS:
        suspected = datasets._looks_substituted(sphalerite[element], sphalerite["reference"])
        stated = sphalerite[f"cens_{element}"]
        assert (suspected == (stated == 2))[stated != 1].all()
    assert (sphalerite.filter(like="cens_") == 2).to_numpy().sum() == 969
    assert (sphalerite.filter(like="cens_") == 1).to_numpy().sum() == 5


def test_the_real_table_survives_the_way_through_a_sheet(tmp_path, sphalerite):
    table = sphalerite.copy()
    below = {e: table[f"cens_{e}"] == 1 for e in ELEMENTS}
    rows = table[["id", "deposit", "sample", "type", *ELEMENTS, "reference"]].astype(object)
    for element, is_below in below.items():
        rows.loc[is_below, element] = [f"<{v!r}" for v in table.loc[is_below, element]]
    tidied = datasets._tidy_sphalerite(write_sheet(tmp_path / "s.xlsx", rows.values.tolist()))
    pd.testing.assert_frame_equal(tidied, sphalerite)
    assert datasets._fingerprint(tidied) == datasets._registry()["sphalerite"]["table_sha256"]


def test_a_sheet_without_its_header_is_refused(tmp_path):
    pd.DataFrame({"a": [1]}).to_excel(tmp_path / "s.xlsx")
    with pytest.raises(ValueError, match="no header row"):
        datasets._tidy_sphalerite(tmp_path / "s.xlsx")


def test_a_sheet_is_stored_tidied_from_the_first_good_address(nowhere, server, monkeypatch):
    address, answers, asked = server
    path = write_sheet(nowhere / "s.xlsx", [sheet_row(n) for n in range(1, 9)])
    answers["/new.xlsx"] = path.read_bytes()
    answers["/junk.xlsx"] = b"not a workbook"
    table = datasets._tidy_sphalerite(path)
    entry = {
        **datasets._registry()["sphalerite"],
        "sheets": [f"{address}/gone.xlsx", f"{address}/junk.xlsx", f"{address}/new.xlsx"],
        "table_sha256": datasets._fingerprint(table),
    }
    monkeypatch.setattr(datasets, "_registry", lambda: {"sphalerite": entry})
    stored = datasets.find("sphalerite", "sphalerite.csv")
    pd.testing.assert_frame_equal(datasets._read_table(stored), table)
    assert datasets.find("sphalerite", "sphalerite.csv") == stored.resolve()  # and no warning
    assert asked == ["/gone.xlsx", "/junk.xlsx", "/new.xlsx"]


def test_a_downloaded_sheet_with_other_values_is_refused(nowhere, server, monkeypatch):
    address, answers, _ = server
    answers["/s.xlsx"] = write_sheet(nowhere / "s.xlsx", [sheet_row(1)]).read_bytes()
    entry = {**datasets._registry()["sphalerite"], "sheets": [f"{address}/s.xlsx"]}
    monkeypatch.setattr(datasets, "_registry", lambda: {"sphalerite": entry})
    with pytest.raises(ValueError, match=r"not what was published.*a sheet of 1 other analyses"):
        datasets.find("sphalerite")


def test_the_sphalerite_table_has_its_published_counts(sphalerite):
    assert len(sphalerite) == 3794
    assert sphalerite["deposit"].nunique() == 96
    assert sphalerite.groupby(["deposit", "type"]).ngroups == 97
    assert sphalerite["reference"].nunique() == 36
    assert sphalerite["type"].nunique() == 5


def test_load_sphalerite_gives_assays_with_the_five_censored_cells(sphalerite_file, sphalerite):
    assays = datasets.load_sphalerite()
    assert list(assays.values.columns) == ELEMENTS
    np.testing.assert_array_equal(assays.values.to_numpy(), sphalerite[ELEMENTS].to_numpy())
    assert set(assays.units.values()) == {"ppm"}
    assert assays.source == "sphalerite.csv"
    assert assays.censored.to_numpy().sum() == 5
    assert assays.censored.sum()[["Mn", "In", "Sb"]].tolist() == [1, 2, 2]
    assert {"id", "deposit", "type", "sample", "reference"} <= set(assays.sites.columns)
