"""Two simulated gold deposits, shared by the tests of this folder."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from gossan.simulate.deposit import SimulatedDeposit, simulate_deposit


@dataclass(frozen=True)
class Campaign:
    """A simulated deposit, its analyses under the names of the elements, and where they are."""

    deposit: SimulatedDeposit
    values: pd.DataFrame  # as reported: Au and Hg in ppb
    ppm: pd.DataFrame
    lengths: np.ndarray
    points: np.ndarray


@pytest.fixture(scope="session")
def campaigns():
    """Return the campaigns of two seeds."""
    found = []
    for seed in range(2):
        deposit = simulate_deposit(random_state=seed)
        values = deposit.assay.drop(columns=["hole", "from", "to"])
        values.columns = [name.split("_")[0] for name in values.columns]
        ppm = values.copy()
        ppm[["Au", "Hg"]] /= 1000
        lengths = (deposit.assay["to"] - deposit.assay["from"]).to_numpy()
        points = deposit.samples[["easting", "northing", "elevation"]].to_numpy()
        found.append(Campaign(deposit, values, ppm, lengths, points))
    return found
