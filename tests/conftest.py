"""Real data for the tests: each fixture skips, with the reason, where the data set is absent."""

import pandas as pd
import pytest
from hypothesis import HealthCheck, settings

from gossan import datasets

# A busy machine is no failure: how long an example takes says nothing about the law.
settings.register_profile(
    "gossan", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("gossan")


@pytest.fixture(scope="session")
def sphalerite_file():
    """Path of the tidied sphalerite table."""
    try:
        return datasets.find("sphalerite", "sphalerite.csv", download=False)
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def _sphalerite_table(sphalerite_file):
    return pd.read_csv(sphalerite_file, keep_default_na=False, dtype={"sample": str})


@pytest.fixture
def sphalerite(_sphalerite_table):
    """Return 3,794 analyses: id, deposit, type, sample, 12 elements [ppm], cens_*, reference."""
    return _sphalerite_table.copy()
