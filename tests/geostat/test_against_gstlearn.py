"""Kriging equals that of gstlearn, an independent toolkit, to the last digits."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gossan.geostat.covariance import Structure, VariogramModel
from gossan.geostat.kriging import Kriging

gl = pytest.importorskip("gstlearn")
RNG = np.random.default_rng(7)


def table(points, values=None):
    """Return points as a table of the other toolkit."""
    found = gl.Db.create()
    names = [f"x{i}" for i in range(points.shape[1])]
    for name, column in zip(names, points.T, strict=True):
        found[name] = column
    found.setLocators(names, gl.ELoc.X)
    if values is not None:
        found["z"] = values
        found.setLocator("z", gl.ELoc.Z)
    return found


def theirs(coords, values, targets, model, *, order, mean=0.0, n_neighbours=None):
    """Return estimate and variance by gstlearn; `order` of the drift, -1 for a known mean."""
    n_dims = coords.shape[1]
    gl.defineDefaultSpace(gl.ESpaceType.RN, n_dims)
    other = gl.Model(gl.CovContext(1, n_dims))
    kinds = {"spherical": gl.ECov.SPHERICAL, "exponential": gl.ECov.EXPONENTIAL}
    for each in model.structures:
        ranges = each.ranges if len(each.ranges) > 1 else each.ranges * n_dims
        if each.kind == "exponential":  # theirs falls to 0.05 at the range, ours to exp(-3)
            ranges = tuple(2.995732 / 3.0 * np.array(ranges))
        angles = [90.0 - each.angles[0], 0.0, 0.0][: max(n_dims, 2)]
        other.addCovFromParam(kinds[each.kind], ranges=list(ranges), sill=each.sill, angles=angles)
    other.addCovFromParam(gl.ECov.NUGGET, sill=model.nugget)
    if order >= 0:
        other.setDriftIRF(order)
    else:
        other.setMeans([mean])
    near = gl.NeighUnique.create()
    if n_neighbours is not None:
        near = gl.NeighMoving.create(
            flag_xvalid=False, nmaxi=n_neighbours, radius=1e6, useBallTree=True
        )
    where = table(targets)
    gl.kriging(table(coords, values), where, other, near)
    return where["Kriging.z.estim"], where["Kriging.z.stdev"] ** 2


MODELS = {
    "isotropic": VariogramModel(0.2, (Structure("spherical", 0.8, (300.0,)),)),
    "nested": VariogramModel(
        0.1, (Structure("spherical", 0.4, (120.0,)), Structure("exponential", 0.5, (600.0,)))
    ),
    "turned": VariogramModel(0.1, (Structure("spherical", 0.9, (400.0, 150.0), (30.0, 0.0, 0.0)),)),
}
SPACE = VariogramModel(0.1, (Structure("spherical", 0.9, (400.0, 200.0, 80.0), (30.0, 0.0, 0.0)),))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("method", "order"), [("ordinary", 0), ("universal", 1), ("simple", -1)])
def test_all_samples_in_the_plane(name, method, order):
    coords, targets = RNG.uniform(0, 1000, (80, 2)), RNG.uniform(0, 1000, (40, 2))
    values = RNG.normal(2.0, 1.0, 80) + coords[:, 0] / 500
    mean = 2.5 if method == "simple" else None
    kriging = Kriging(MODELS[name], method, mean=mean, n_neighbours=80).fit(coords, values)
    estimate, std = kriging.predict(targets, return_std=True)
    other = theirs(coords, values, targets, MODELS[name], order=order, mean=2.5)
    assert_allclose(estimate, other[0], rtol=1e-8)
    # They leave the nugget of the target in, as we do.
    assert_allclose(std**2, other[1], rtol=1e-7)


def test_the_nearest_samples_in_space():
    coords, targets = RNG.uniform(0, 500, (400, 3)), RNG.uniform(0, 500, (60, 3))
    values = RNG.normal(size=400)
    model = VariogramModel(0.2, (Structure("exponential", 0.8, (300.0,)),))
    kriging = Kriging(model, n_neighbours=24).fit(coords, values)
    estimate, std = kriging.predict(targets, return_std=True)
    other = theirs(coords, values, targets, model, order=0, n_neighbours=24)
    assert_allclose(estimate, other[0], rtol=1e-8)
    assert_allclose(std**2, other[1], rtol=1e-8)


def test_all_samples_in_space_with_three_ranges():
    coords, targets = RNG.uniform(0, 500, (90, 3)), RNG.uniform(0, 500, (40, 3))
    values = RNG.normal(size=90)
    kriging = Kriging(SPACE, n_neighbours=None).fit(coords, values)
    other = theirs(coords, values, targets, SPACE, order=0)
    assert_allclose(kriging.predict(targets), other[0], rtol=1e-8)
