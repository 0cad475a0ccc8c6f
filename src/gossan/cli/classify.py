"""`gossan classify`: deposit types from a table of mineral analyses, by a shipped or saved model."""

from __future__ import annotations

import argparse
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gossan._checks import check_option
from gossan.cli.talk import plain

if TYPE_CHECKING:
    import pandas as pd

MINERALS = ("sphalerite",)


def run_classify(options: argparse.Namespace) -> int:
    """Tell the deposit type of each deposit of a table."""
    from gossan.saving import load_model
    from gossan.studies.genesis.deposit_types import DepositTypeModel
    from gossan.studies.genesis.tables import doubts, read_unknown
    from gossan.studies.run_folder import RunFolder

    source = options.model or shipped_model(options.mineral)
    fitted, card = load_model(source)
    if not isinstance(fitted, DepositTypeModel):
        raise ValueError(  # noqa: TRY004 - what is wrong is the folder
            f"{source} holds a {type(fitted).__name__}, which gives no verdicts on deposits. Name "
            "the folder model/ of a run."
        )
    folder = None if options.out is None else RunFolder(options.out, owner="classification")
    read: dict[str, Any] = {
        "units": options.units, "sheet": options.sheet, "decimal": options.decimal,
    }  # fmt: skip
    read = {key: value for key, value in read.items() if value is not None}
    values, deposits, assays = read_unknown(
        options.table, elements=fitted.elements, deposit=options.deposit,
        training=fitted.training, **read,
    )  # fmt: skip
    for line in doubts(assays):
        print(plain(line))
    missing = [name for name in fitted.elements if values[name].isna().all()]
    if missing:
        print(f"warning: {', '.join(missing)} not in the table; filled in from the other elements.")
    if folder is None:
        verdicts = fitted.verdicts(values, deposits)
    else:
        from gossan.studies.genesis.run import classify_into

        mineral = options.mineral if options.model is None else ""
        verdicts = classify_into(
            folder, fitted, card=card, values=values, deposits=deposits, assays=assays,
            title="Deposit types", mineral=mineral,
        )  # fmt: skip
        folder.write_manifest({"model": str(source.name), "table": assays.source})
    print(_verdict_lines(verdicts, where=options.out))
    honest = card.get("right verdicts, each deposit held out")
    if honest:
        print(f"\nThe model finds the type of a deposit it never saw in {honest} of cases (95 %).")
    if options.out is not None:
        print(f"Report: {options.out / 'report.html'}")
    return 0


def shipped_model(mineral: str) -> Path:
    """Folder of the model that comes with gossan for a mineral."""
    check_option("mineral", mineral, MINERALS)
    return Path(str(resources.files("gossan") / "shipped" / mineral))


def _verdict_lines(verdicts: pd.DataFrame, *, where: Path | None = None) -> str:
    """Return the verdicts, a line a deposit; the first fifty."""
    width = min(28, max(7, *(len(str(name)) for name in verdicts["deposit"])))
    head = f"{'deposit':{width}s}  {'verdict':14s} probability  {'possible types':26s} analyses"
    head += "  beyond all training data in"
    lines = [f"\n{head}"]
    for row in verdicts.head(50).itertuples():
        name = plain(str(row.deposit))[:width]
        nearest = f" (nearest {row.nearest})" if row.verdict == "none of these" else ""
        outside = "" if str(row.outside_elements) == "nan" else str(row.outside_elements)
        lines.append(
            f"{name:{width}s}  {row.verdict:14s} {_number(row.probability):>11s}  "
            f"{row.conformal_set + nearest:26s} {row.n_analyses:8d}  {outside}".rstrip()
        )
    if len(verdicts) > 50:
        told = f"see {where / 'verdicts.csv'}" if where else "write all with --out FOLDER"
        lines.append(f"... and {len(verdicts) - 50} more; {told}")
    return "\n".join(lines)


def _number(value: float) -> str:
    if value != value:  # noqa: PLR0124 - NaN is not equal to itself
        return "-"
    return "> 0.99" if value > 0.995 else f"{value:.2f}"
