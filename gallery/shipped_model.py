"""Train the model that gossan ships for sphalerite, and write it into the package.

    python gallery/shipped_model.py [--out FOLDER]

Each deposit is held out once to calibrate the model and to write its honest scores into the card;
about three minutes on two cores. The card names the compilation and all the studies it rests on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gossan.datasets import find
from gossan.saving import save_model
from gossan.studies.genesis.run import model_card
from gossan.studies.genesis.tables import read_labelled
from gossan.studies.genesis.trust import score_models, train
from gossan.studies.run_folder import RunFolder

PACKAGE = Path(__file__).parents[1] / "src" / "gossan" / "shipped" / "sphalerite"
SOURCE = (
    "Supplementary table S1 of Gul et al. 2025, J. Geochem. Explor. 275, 107771, "
    "doi:10.1016/j.gexplo.2025.107771 (CC BY 4.0), a compilation of the studies listed here"
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--out", type=Path, default=PACKAGE, help="folder of the model")
    parser.add_argument(
        "--run",
        type=Path,
        default=Path("runs/bench-genesis"),
        help="keeps what is done; the one of bench/genesis.py, which validates the same model",
    )
    options = parser.parse_args()
    labelled = read_labelled(
        {"table": find("sphalerite") / "sphalerite.csv"}, reference="reference"
    )
    trust = score_models(
        labelled,
        folder=RunFolder(options.run),
        baselines=(),
        seeds=range(5),
        null_permutations=0,
        progress=print,
    )
    model = train(labelled, trust)
    references = sorted(labelled.table["reference"].unique())
    card = model_card(labelled, trust, "recommended") | {
        "source": SOURCE,
        "licence": "BSD-3-Clause; the training table inside is CC BY 4.0 of Gul et al. 2025",
        "studies": references,
    }
    save_model(model, options.out, card=card, overwrite=options.out.exists())
    size = sum(file.stat().st_size for file in options.out.iterdir()) / 1e6
    print(f"{options.out.name}: {size:.1f} MB, {len(references)} studies named")
    for key, value in card.items():
        if key != "studies":
            print(f"  {key}: {value}")


if __name__ == "__main__":
    main()
