"""The public data sets by name: found in a local folder, or downloaded with a checked SHA-256.

In goes a name of `list_datasets()`; out comes the folder, one of its files, or a loaded table.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from gossan._checks import GossanWarning, check_option
from gossan.data._replacing import replacing
from gossan.data.tables.workbook import check_workbook

if TYPE_CHECKING:
    from gossan.data.assays import Assays

__all__ = ["find", "list_datasets", "load_sphalerite"]

logger = logging.getLogger(__name__)

# Looked into, in this order, under the folder one works in.
LOCAL_FOLDERS = ("data", "gossan-data", "shared/data", "../shared/data")
SPHALERITE_ELEMENTS = ("Mn", "Fe", "Co", "Cu", "Ga", "Ge", "Ag", "Cd", "In", "Sn", "Sb", "Pb")


def list_datasets() -> pd.DataFrame:
    """Table of the public data sets: where each was found, its licence and whom to cite.

    Nothing is downloaded and no file is opened: a set counts as found when all its files are there.

    Returns
    -------
    datasets : DataFrame of shape (n_datasets, 7)
        One row a set: `name`, `title`, `rows` (analyses, holes' intervals or cells in its main
        table), `found` (its folder, or an empty string), `download` (True where `find` can fetch
        it), `licence` and `citation`.

    Examples
    --------
    >>> table = list_datasets().set_index("name")
    >>> table.loc["sphalerite", "licence"]
    'CC BY 4.0'
    """
    rows = []
    for name, entry in _registry().items():
        folder = next(_complete_folders(name, _search_folders()), None)
        rows.append(
            {
                "name": name,
                "title": entry["title"],
                "rows": entry["rows"],
                "found": str(folder) if folder else "",
                "download": "base" in entry or "sheets" in entry,
                "licence": entry["licence"],
                "citation": entry["citation"],
            }
        )
    return pd.DataFrame(rows).astype({"rows": "Int64"})


def find(
    name: str, file: str | None = None, *, download: bool = True, timeout: float = 30.0
) -> Path:
    """Folder of a public data set, or the path of one of its files.

    Looks in the folders that the environment variable `GOSSAN_DATA` names, then in `data`,
    `gossan-data`, `shared/data` and `../shared/data` under the working folder, then in the user's
    cache; each holds one sub-folder a set. What is found nowhere is downloaded into the cache,
    where its licence allows that and its publisher keeps the same files.

    Parameters
    ----------
    name : str
        A name of `list_datasets()`.
    file : str, optional
        A file of the set, as its path inside the folder. Default: the folder of the whole set.
    download : bool
        False looks only locally.
    timeout : float
        Seconds to wait for an answer of the server.

    Returns
    -------
    path : Path
        The folder with all files of the set, or the file. A local file whose content differs from
        the published one is returned with a `GossanWarning`.

    Raises
    ------
    ValueError
        If no such set or file is known, or if a download is not what was published.
    FileNotFoundError
        If it is not found locally and cannot be, or was not to be, downloaded.
    ConnectionError
        If the server cannot be reached.
    """
    entry = _registry()[check_option("name", name, list(_registry()))]
    wanted = list(entry["files"]) if file is None else [file]
    if file is not None:
        check_option("file", file, list(entry["files"]))
    folder = next(_complete_folders(name, _search_folders(), wanted), None)
    if folder is None:
        folder = _download_set(name, wanted, download=download, timeout=timeout)
    else:
        _warn_of_changes(name, folder, wanted)
    return folder if file is None else folder / file


def load_sphalerite(*, timeout: float = 30.0) -> Assays:
    """Trace elements in sphalerite: 3,794 analyses of 96 deposits, as assays.

    The compilation of Gul et al. [Gul2025]_, tidied; cite it and the 36 studies of the column
    `reference`. Its compilers had already replaced most values below detection; only the five cells
    that the source still marks with '<' come out as censored.

    Parameters
    ----------
    timeout : float
        Seconds to wait for an answer of the server, if the table has to be downloaded.

    Returns
    -------
    assays : Assays
        `values` of shape (3794, 12) [ppm]; `sites` with `id`, `deposit`, `type` (Epithermal, MVT,
        SEDEX, Skarn, VMS), `sample` and `reference`.

    Raises
    ------
    FileNotFoundError, ConnectionError, ValueError
        As `find`.
    """
    from gossan.data.assays import read_assays

    table = _read_table(find("sphalerite", "sphalerite.csv", timeout=timeout))
    for element in SPHALERITE_ELEMENTS:
        is_below = table[f"cens_{element}"] == 1
        if is_below.any():
            marked = table[element].astype(object)
            marked[is_below] = [f"<{limit!r}" for limit in table.loc[is_below, element]]
            table[element] = marked
    assays = read_assays(
        table[["id", "deposit", "type", "sample", "reference", *SPHALERITE_ELEMENTS]],
        elements=list(SPHALERITE_ELEMENTS),
        units=dict.fromkeys(SPHALERITE_ELEMENTS, "ppm"),
    )
    source = "sphalerite.csv"
    return replace(assays, source=source, report=replace(assays.report, source=source))


@cache
def _registry() -> dict[str, dict[str, Any]]:
    """Return what is known of each set: files with size and SHA-256, licence, citation, source."""
    return json.loads(resources.files("gossan").joinpath("datasets.json").read_text("utf-8"))


def _search_folders() -> list[Path]:
    """Return the folders that may hold data sets, first choice first."""
    named = [Path(part).expanduser() for part in _environment_folders()]
    return [*named, *(Path.cwd() / folder for folder in LOCAL_FOLDERS), _cache_folder()]


def _environment_folders() -> list[str]:
    return [part for part in os.environ.get("GOSSAN_DATA", "").split(os.pathsep) if part]


def _cache_folder() -> Path:
    """Return the folder where the platform wants downloads that can be fetched again."""
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "gossan" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "gossan"
    xdg = os.environ.get("XDG_CACHE_HOME")
    return (Path(xdg) if xdg else Path.home() / ".cache") / "gossan"


def _complete_folders(
    name: str, folders: Iterable[Path], wanted: Iterable[str] | None = None
) -> Iterator[Path]:
    """Yield the folders of the set `name` that hold all `wanted` files."""
    files = list(wanted or _registry()[name]["files"])
    for folder in folders:
        if all((folder / name / file).is_file() for file in files):
            yield (folder / name).resolve()


def _warn_of_changes(name: str, folder: Path, wanted: list[str]) -> None:
    """Warn if a local file is not the published one: figures would differ from the published."""
    changed = [file for file in wanted if not _is_published(name, file, folder / file)]
    if changed:
        warnings.warn(
            f"{len(changed)} of {len(wanted)} files of the data set {name!r} differ from the"
            f" published ones (first: {folder / changed[0]}). Move the folder away to use those.",
            GossanWarning,
            stacklevel=3,
        )


def _is_published(name: str, file: str, path: Path) -> bool:
    entry = _registry()[name]
    content = path.read_bytes()
    if _sha256(content) == entry["files"][file][1]:
        return True
    return "table_sha256" in entry and _is_published_table(entry, io.BytesIO(content))


def _is_published_table(entry: dict[str, Any], source: io.BytesIO) -> bool:
    try:
        return _fingerprint(_read_table(source)) == entry["table_sha256"]
    except (ValueError, KeyError):  # not a table, or not this one
        return False


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _download_set(name: str, wanted: list[str], *, download: bool, timeout: float) -> Path:
    """Fetch the missing files of a set into the cache and return its folder there."""
    entry = _registry()[name]
    if not download or not ("base" in entry or "sheets" in entry):
        raise FileNotFoundError(_not_found(name, entry))
    folder = _cache_folder() / name
    for file in wanted:
        if (folder / file).is_file() and _is_published(name, file, folder / file):
            continue
        logger.info("downloading %s of the data set %s", file, name)
        if "sheets" in entry:
            content = _fetch_sphalerite(name, entry, timeout)
        else:
            content = _fetch_file(name, entry, file, timeout)
        _write_atomically(folder / file, content)
    return folder


def _not_found(name: str, entry: dict[str, Any]) -> str:
    looked = ", ".join(str(folder) for folder in _search_folders())
    lost = [part for part in _environment_folders() if not Path(part).expanduser().is_dir()]
    note = f" GOSSAN_DATA names {lost[0]}, which does not exist." if lost else ""
    how = entry.get("obtain", "Call find with download=True")
    return (
        f"The data set {name!r} was not found. Looked for a folder {name} in {looked}.{note}"
        f" {how}. Then put the files into a folder {name} in one of these places, or set"
        " GOSSAN_DATA to the folder that holds it."
    )


def _fetch_file(name: str, entry: dict[str, Any], file: str, timeout: float) -> bytes:
    """Return a file of the publisher, checked to be the published one to the last bit."""
    size, sha256 = entry["files"][file]
    url = f"{entry['base']}/{urllib.parse.quote(file)}"
    content = _fetch(name, url, size, timeout)
    if _sha256(content) != sha256:
        raise ValueError(_unexpected(name, url, f"SHA-256 {_sha256(content)}, expected {sha256}"))
    return content


def _fetch_sphalerite(name: str, entry: dict[str, Any], timeout: float) -> bytes:
    """Return the tidied table from the first address that still has the published sheet."""
    trouble: Exception | None = None
    for url in entry["sheets"]:
        try:
            content = _fetch(name, url, entry["sheet_bytes"], timeout)
            table = _tidy_sphalerite(io.BytesIO(content))
        except (ConnectionError, ValueError) as error:
            trouble = error
            continue
        if _fingerprint(table) == entry["table_sha256"]:
            return _to_csv(table)
        trouble = ValueError(_unexpected(name, url, f"a sheet of {len(table)} other analyses"))
    raise trouble or ValueError(f"No address is known for the data set {name!r}.")


def _fetch(name: str, url: str, most_bytes: int, timeout: float) -> bytes:
    """Return what `url` holds, refusing more than `most_bytes`."""
    try:
        # The addresses are those of the shipped registry, all https.
        with urllib.request.urlopen(url, timeout=timeout) as answer:  # noqa: S310
            content = answer.read(most_bytes + 1)
    except OSError as error:  # URLError, HTTPError, a timeout or a broken connection
        raise ConnectionError(
            f"The data set {name!r} could not be downloaded: {error}. Asked for {url}."
            f" Go online and try again, or put the files into a folder {name} in one of the folders"
            " data or gossan-data here, or in a folder that GOSSAN_DATA names."
        ) from error
    if len(content) > most_bytes:
        raise ValueError(_unexpected(name, url, f"more than {most_bytes} bytes"))
    return content


def _unexpected(name: str, url: str, given: str) -> str:
    return (
        f"The download of the data set {name!r} is not what was published. {url} gave {given}."
        " Nothing was stored; get the file by hand from the source that `gossan data` names."
    )


def _write_atomically(path: Path, content: bytes) -> None:
    """Write beside `path` and rename, so that a broken run leaves no half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def _read_table(source: Path | io.BytesIO) -> pd.DataFrame:
    """Return the tidied table as it was written: a sample called 'NA' stays a name."""
    return pd.read_csv(source, keep_default_na=False, dtype={"sample": str})


def _fingerprint(table: pd.DataFrame) -> str:
    """SHA-256 of the values to 10 digits: sheets and tables may differ in the last bit.

    Samples are left out, as a sheet may hold 1, 1.0 or '1' for one.
    """
    return _sha256(_to_csv(table.drop(columns="sample"), float_format="%.10g"))


def _to_csv(table: pd.DataFrame, float_format: str | None = None) -> bytes:
    return table.to_csv(index=False, lineterminator="\n", float_format=float_format).encode()


def _tidy_sphalerite(source: Path | io.BytesIO) -> pd.DataFrame:
    """Return the published sheet as a plain table, with `cens_<element>` beside each element.

    Title, blank rows and the reference list are dropped: an analysis is a row whose Number is one.
    `cens_*` is 1 where the sheet says '<' and 2 where a value looks substituted for a limit.
    """
    # What a server sends is known for the published sheet only once it was read.
    check_workbook(
        source.read_bytes() if isinstance(source, Path) else source.getvalue(), "The sheet"
    )
    sheet = pd.read_excel(source, header=None, dtype=object, keep_default_na=False)
    header = _header_row(sheet)
    sheet.columns = [_column_name(cell) for cell in sheet.loc[header]]
    number = pd.to_numeric(sheet["id"], errors="coerce")
    body = sheet[number.notna() & (sheet.index > header)]
    table = pd.DataFrame({"id": pd.to_numeric(body["id"]).astype("int64")})
    for column in ("deposit", "type"):
        table[column] = body[column].astype(str).str.strip()
    table["sample"] = body["sample"].astype(str)
    reference = body["reference"].astype(str).str.strip()
    text = {element: body[element].astype(str).str.strip() for element in SPHALERITE_ELEMENTS}
    for element, cells in text.items():
        table[element] = pd.to_numeric(cells.str.lstrip("<")).astype("float64")
    for element, cells in text.items():
        suspected = _looks_substituted(table[element], reference)
        table[f"cens_{element}"] = suspected.astype("int64") * 2
        table.loc[cells.str.startswith("<"), f"cens_{element}"] = 1
    return table.assign(reference=reference).reset_index(drop=True)


def _header_row(sheet: pd.DataFrame) -> int:
    for row, cells in sheet.iterrows():
        if {"id", "deposit", "type", "sample", "reference"} <= {_column_name(c) for c in cells}:
            return int(str(row))
    raise ValueError("The sheet has no header row with Number, Deposit, Sample and Deposit Type.")


def _column_name(cell: object) -> str:
    """Return our name of a column of the sheet: 'Deposit Type' is type, 'Mn (ppm)' is Mn."""
    words = str(cell).strip()
    ours = {"number": "id", "deposit": "deposit", "deposit type": "type", "sample": "sample"}
    if words.lower().startswith("reference"):
        return "reference"
    return ours.get(words.lower(), words.split(" ")[0].split("(")[0])


def _looks_substituted(values: pd.Series, studies: pd.Series) -> pd.Series:
    """Mark values repeated in >= 5 rows and >= 10 % of one study, in the lower half of its values.

    Compilers replace what is below detection by one number; so repeated low values are suspects.
    """
    in_study = values.groupby(studies)
    n_equal = values.groupby([studies, values]).transform("size")
    is_frequent = (n_equal >= 5) & (n_equal >= 0.1 * in_study.transform("size"))
    return is_frequent & (values <= in_study.transform("median"))
