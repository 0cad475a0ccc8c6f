"""One estimator fitted by the way that fits many: what it is told, and what it takes over."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from gossan._fit_alone import fit_alone, take_over


class Told:
    """An estimator that remembers what its `fit_many` was told."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit_many(self, X, y, members, **options):
        self.asked = (members, options)
        fitted = Told(random_state="of the other")
        fitted.learned_ = 7
        return [fitted]


def test_it_fits_all_rows_with_a_seed_drawn_from_its_own():
    model = Told(random_state=3)
    assert fit_alone(model, [[1.0], [2.0]], ["a", "b"], groups="g") is model
    [(rows, seed)], options = model.asked
    assert rows.tolist() == [0, 1]
    assert seed == np.random.default_rng(3).integers(2**31)
    assert options == {"groups": "g"}


def test_what_was_learned_is_taken_over_and_settings_are_not():
    model = take_over(Told(random_state=3), Told(random_state=4).fit_many(None, None, [])[0])
    assert model.learned_ == 7
    assert model.random_state == 3
    assert not hasattr(model, "asked")


@pytest.mark.parametrize(
    "X", [[[1.0], [2.0], [3.0]], pd.DataFrame({"Cu": [1.0, 2.0, 3.0]}), sparse.eye(3).tocsr()]
)
def test_without_labels_the_rows_are_those_of_the_table(X):
    model = fit_alone(Told(), X, None)
    assert model.asked[0][0][0].tolist() == [0, 1, 2]
