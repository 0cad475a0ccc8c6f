"""Saved models: exact round trips, and nothing but a ValueError for what is not one."""

import json
import os
import struct

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from gossan import _model_files, saving
from gossan.models import (
    BoostedTrees,
    EnsembleClassifier,
    GroupNeighbours,
    HierarchicalDiscriminant,
    make_baseline,
)
from gossan.nets.dense import DenseClassifier
from gossan.saving import load_model, save_model

CARD = {"title": "Three types", "scores": {"V": 0.8}, "sources": ["Gül & others"], "n": 96}


def dense(**more):
    return DenseClassifier(hidden=(8, 6), epochs=2, n_members=2, random_state=0, **more)


MODELS = {
    "discriminant": lambda: HierarchicalDiscriminant(prior="groups", shrinkage=0.3),
    "neighbours": lambda: GroupNeighbours(n_nearest=2),
    "trees": lambda: BoostedTrees(max_iter=4, random_state=0),
    "network": lambda: dense(batch_norm=True),
    "ensemble": lambda: EnsembleClassifier(
        [
            ("discriminant", HierarchicalDiscriminant()),
            ("near/by", GroupNeighbours()),
            ("trees", BoostedTrees(max_iter=3, random_state=0)),
            ("network", dense()),
        ],
        rule="mean",
    ),
}
EVERY = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    y = np.repeat(["MVT", "SEDEX", "VMS"], 24)
    means = {"MVT": [1, 3, 5], "SEDEX": [3, 1, 4], "VMS": [5, 5, 2]}
    X = np.exp(rng.normal([means[kind] for kind in y], 0.8))
    return X, y, np.repeat([f"deposit {i}" for i in range(12)], 6)


@pytest.fixture(scope="module")
def fitted(table):
    X, y, groups = table
    return {name: make().fit(X, y, groups=groups) for name, make in MODELS.items()}


@pytest.fixture(scope="module")
def saved(fitted, tmp_path_factory):
    home = tmp_path_factory.mktemp("models")
    return {name: save_model(model, home / name, card=CARD) for name, model in fitted.items()}


@pytest.fixture
def copy(saved, tmp_path):
    """Return a maker of a folder with the files of a saved model."""

    def make(name="trees"):
        folder = tmp_path / "copy"
        folder.mkdir(exist_ok=True)
        for path in saved[name].iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        return folder

    return make


def forge(folder, *, change=None, arrays=None):
    """Change content and arrays of a saved model, and sign it anew as a forger would."""
    content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    weights = load((folder / "weights.safetensors").read_bytes())
    if arrays:
        arrays(weights)
        weights = {name: np.ascontiguousarray(array) for name, array in weights.items()}
        content["arrays"] = {n: [str(a.dtype), list(a.shape)] for n, a in weights.items()}
    if change:
        change(content)
    data = save(weights)
    content["sha256"] = saving._digest(content, data)
    (folder / "weights.safetensors").write_bytes(data)
    (folder / "model.json").write_text(json.dumps(content), encoding="utf-8")


# Round trips


@EVERY
def test_a_loaded_model_answers_bit_for_bit(name, fitted, saved, table):
    model, card = load_model(saved[name])
    X = np.vstack([table[0] * 1.07, table[0][:5] * 1e3])
    assert type(model) is type(fitted[name])
    np.testing.assert_array_equal(model.predict_proba(X), fitted[name].predict_proba(X))
    np.testing.assert_array_equal(model.predict(X), fitted[name].predict(X))
    assert card == CARD
    assert model.units_ == {"x0": "ppm", "x1": "ppm", "x2": "ppm"}


@EVERY
def test_saving_a_loaded_model_gives_the_same_files(name, saved, tmp_path):
    again = save_model(load_model(saved[name])[0], tmp_path / "again", card=CARD)
    for path in saved[name].iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes()


def test_settings_come_back(saved):
    model, _ = load_model(saved["discriminant"])
    assert (model.prior, model.shrinkage) == ("groups", 0.3)
    ensemble, _ = load_model(saved["ensemble"])
    assert [name for name, _ in ensemble.estimators] == [
        "discriminant",
        "near/by",
        "trees",
        "network",
    ]
    assert ensemble.rule == "mean"


@EVERY
def test_names_and_units_come_back(name, table, tmp_path):
    X, y, groups = table
    frame = pd.DataFrame(X, columns=["Mn", "Fe", "FeO"])
    model = MODELS[name]().fit(frame, y, groups=groups)
    units = {"Mn": "ppm", "Fe": "ppm", "FeO": "wt%"}
    back, _ = load_model(save_model(model, tmp_path / "named", card={}, units=units))
    assert back.units_ == units
    assert list(back.names_) == list(back.feature_names_in_) == ["Mn", "Fe", "FeO"]
    np.testing.assert_array_equal(back.predict_proba(frame), model.predict_proba(frame))
    with pytest.raises(ValueError, match="name"):
        back.predict_proba(frame[["Fe", "Mn", "FeO"]])


def test_numbered_classes_come_back_as_numbers(table, tmp_path):
    X, y, groups = table
    numbers = np.unique(y, return_inverse=True)[1] * 10
    model = GroupNeighbours().fit(X, numbers, groups=groups)
    back, _ = load_model(save_model(model, tmp_path / "numbers", card={}))
    assert back.classes_.tolist() == [0, 10, 20]
    np.testing.assert_array_equal(back.predict(X), model.predict(X))


def test_a_discriminant_still_fills_and_pools(fitted, saved, table):
    X = table[0].copy()
    X[::3, 1] = np.nan
    back, _ = load_model(saved["ensemble"])
    np.testing.assert_array_equal(back.predict_proba(X), fitted["ensemble"].predict_proba(X))
    alone, _ = load_model(saved["discriminant"])
    expected = fitted["discriminant"].predict_group_proba(X, table[2])[1]
    np.testing.assert_array_equal(alone.predict_group_proba(X, table[2])[1], expected)


# Writing


def test_a_folder_that_exists_is_not_overwritten_unasked(fitted, copy, tmp_path):
    folder = copy("discriminant")
    with pytest.raises(ValueError, match=r"exists already\. Pass overwrite=True"):
        save_model(fitted["trees"], folder, card=CARD)
    save_model(fitted["trees"], folder, card=CARD, overwrite=True)
    assert type(load_model(folder)[0]) is BoostedTrees
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy"]


def test_a_folder_of_other_things_is_never_overwritten(fitted, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(ValueError, match="no saved model and is not overwritten"):
        save_model(fitted["trees"], tmp_path, card=CARD, overwrite=True)
    assert (tmp_path / "thesis.txt").exists()


def test_a_failed_write_leaves_the_old_model(fitted, copy, tmp_path, monkeypatch):
    folder = copy("discriminant")

    def full(self, data):
        raise OSError("disk full")

    monkeypatch.setattr(_model_files.Path, "write_bytes", full)
    with pytest.raises(OSError, match="disk full"):
        save_model(fitted["trees"], folder, card=CARD, overwrite=True)
    monkeypatch.undo()
    assert type(load_model(folder)[0]) is HierarchicalDiscriminant
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy"]


def test_what_cannot_be_saved_is_told(fitted, table, tmp_path):
    X, y, _ = table
    where = tmp_path / "new"
    with pytest.raises(ValueError, match=r"WeightedClassifier cannot be saved\. Save one of"):
        save_model(make_baseline("lda").fit(X, y), where, card={})
    with pytest.raises(ValueError, match=r"card\.when cannot be saved"):
        save_model(fitted["trees"], where, card={"when": object()})
    with pytest.raises(ValueError, match=r"card\.V cannot be saved, it is nan"):
        save_model(fitted["trees"], where, card={"V": float("nan")})
    with pytest.raises(ValueError, match="units must name a unit for each feature"):
        save_model(fitted["trees"], where, card={}, units={"Mn": "ppm"})
    nested = EnsembleClassifier([("inner", fitted["ensemble"])]).fit(X, y)
    with pytest.raises(ValueError, match="EnsembleClassifier inside EnsembleClassifier"):
        save_model(nested, where, card={})
    assert not where.exists()


def test_numpy_numbers_in_a_card_are_numbers(fitted, tmp_path):
    card = {"V": np.float64(0.5), "n": np.int64(3), "pair": (1, 2), "row": np.arange(2)}
    folder = save_model(fitted["trees"], tmp_path / "m", card=card)
    assert load_model(folder)[1] == {"V": 0.5, "n": 3, "pair": [1, 2], "row": [0, 1]}


# Reading what is not sound


def test_a_missing_or_added_file_is_refused(copy, tmp_path):
    with pytest.raises(
        ValueError, match=r"exactly model\.json and weights.safetensors, got no fol"
    ):
        load_model(tmp_path / "nowhere")
    folder = copy()
    (folder / "model.pkl").write_bytes(b"cos\nsystem\n")
    with pytest.raises(ValueError, match=r"exactly model.json .*'model\.pkl'"):
        load_model(folder)
    (folder / "model.pkl").unlink()
    (folder / "model.json").unlink()
    with pytest.raises(ValueError, match=r"exactly model\.json"):
        load_model(folder)


def test_links_are_refused(copy, tmp_path):
    folder = copy()
    (tmp_path / "elsewhere").write_bytes((folder / "model.json").read_bytes())
    (folder / "model.json").unlink()
    try:
        (folder / "model.json").symlink_to(tmp_path / "elsewhere")
    except OSError:
        pytest.skip("no links here")
    with pytest.raises(ValueError, match="no plain file but a link"):
        load_model(folder)


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors"])
def test_a_file_too_large_is_refused_before_it_is_read(copy, name, monkeypatch):
    folder = copy()
    os.truncate(folder / name, _model_files.MOST_BYTES[name] + 1)  # a hole: takes no room
    monkeypatch.setattr(_model_files.Path, "open", lambda *a, **k: pytest.fail("was opened"))
    with pytest.raises(ValueError, match=f"{name} is too large"):
        load_model(folder)


def test_a_model_too_large_is_not_written(fitted, tmp_path, monkeypatch):
    monkeypatch.setitem(_model_files.MOST_BYTES, "weights.safetensors", 100)
    with pytest.raises(ValueError, match=r"weights\.safetensors is too large"):
        save_model(fitted["trees"], tmp_path / "m", card={})
    assert not list(tmp_path.iterdir())


def test_a_changed_file_is_refused(copy):
    folder = copy()
    text = (folder / "model.json").read_text(encoding="utf-8").replace("Three", "Four")
    (folder / "model.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"SHA-256 does not match.*Fetch it again"):
        load_model(folder)


@pytest.mark.parametrize("data", [b"", b"\x80\x04K\x01.", b"[" * 100_000, b"NaN", b"[]", b"\xff"])
def test_other_formats_are_refused(copy, data):
    folder = copy()
    (folder / "model.json").write_bytes(data)
    with pytest.raises(ValueError, match="is not a sound saved model"):
        load_model(folder)


@pytest.mark.parametrize("length", [0, 7, 2**40, 2**63])
def test_a_header_that_lies_about_its_length_is_refused(copy, length):
    folder = copy()
    content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    data = struct.pack("<Q", length) + (folder / "weights.safetensors").read_bytes()[8:]
    content["sha256"] = saving._digest(content, data)
    (folder / "model.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "weights.safetensors").write_bytes(data)
    with pytest.raises(ValueError, match="is not a sound saved model"):
        load_model(folder)


def setting(*path, value):
    """Return a change of the content at a path."""

    def change(content):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return change


SETTINGS = ("model", "settings")
FORGED = [
    ("trees", ("format",), 2, "format is 2"),
    ("trees", ("more",), 1, "with keys"),
    ("trees", ("model", "class"), "subprocess.Popen", "none that can be loaded"),
    ("trees", ("model", "class"), "BoostedTree", "Did you mean 'BoostedTrees'"),
    ("trees", ("model", "class"), ["BoostedTrees"], "none that can be loaded"),
    ("trees", ("model", "class"), "GroupNeighbours", "no parameter"),
    ("trees", (*SETTINGS, "params", "evil"), 1, "no parameter 'evil'"),
    ("trees", (*SETTINGS, "classes"), ["b", "a", "c"], "not sorted"),
    ("trees", (*SETTINGS, "classes"), ["a", 1, "c"], "list of names or of numbers"),
    ("trees", (*SETTINGS, "classes"), ["a", "b"], "must have shape"),
    ("trees", (*SETTINGS, "names"), ["Mn"], "feature beyond"),
    ("trees", (*SETTINGS, "names"), [1, 2, 3], "list of texts"),
    ("trees", ("units",), {"x0": "ppm"}, "units must name"),
    ("trees", ("card",), [], "card is no mapping"),
    ("trees", ("arrays",), {}, "are not those that model.json declares"),
    ("discriminant", (*SETTINGS, "params", "prior"), "squirt", "prior must be one of"),
    ("discriminant", (*SETTINGS, "params", "shrinkage"), "0.2", "shrinkage must lie"),
    ("discriminant", ("model", "settings"), {}, "params"),
    ("neighbours", (*SETTINGS, "params", "n_nearest"), -1, "n_nearest must be"),
    ("neighbours", (*SETTINGS, "params", "bandwidth"), None, "bandwidth must be"),
    ("network", (*SETTINGS, "params", "hidden"), [10**9, 6], "must have shape"),
    ("network", (*SETTINGS, "params", "hidden"), [-1, 6], "must have shape"),
    ("network", (*SETTINGS, "params", "hidden"), [4] * 10_000, "layers have no weights"),
    ("network", (*SETTINGS, "params", "n_members"), 3, "must have shape"),
    ("network", (*SETTINGS, "params", "activation"), "eval", "activation must be one of"),
    ("network", (*SETTINGS, "params", "preset"), "gul2025", "must have shape"),
    ("ensemble", (*SETTINGS, "members"), ["discriminant"], "belongs to nothing"),
    ("ensemble", (*SETTINGS, "members"), ["a", "b", "c", "c"], "of different names"),
    ("ensemble", (*SETTINGS, "members"), list("abcde"), "member4"),
    ("ensemble", (*SETTINGS, "member0", "class"), "EnsembleClassifier", "none that can be"),
    ("ensemble", (*SETTINGS, "member0", "settings", "names"), ["a"], "must have shape"),
]


@pytest.mark.parametrize(("name", "path", "value", "told"), FORGED)
def test_a_forged_content_is_refused(copy, name, path, value, told):
    folder = copy(name)
    forge(folder, change=setting(*path, value=value))
    with pytest.raises(ValueError, match=r"(?s)is not a sound saved model: .*" + told):
        load_model(folder)


def at(key, place, value):
    def change(arrays):
        array = arrays[f"model/{key}"].copy()
        array[place] = value
        arrays[f"model/{key}"] = array

    return change


def cut(key):
    return lambda arrays: arrays.update({f"model/{key}": arrays[f"model/{key}"][:-1]})


def cast(key, dtype):
    return lambda arrays: arrays.update({f"model/{key}": arrays[f"model/{key}"].astype(dtype)})


FORGED_ARRAYS = [
    ("trees", at("left_", (0, 0), 0), "walk would not end"),
    ("trees", at("right_", (1, 0), 10_000), "outside the tree"),
    ("trees", at("right_", (1, 1), -3), "outside the tree"),
    ("trees", at("feature_", (0, 0), 3), "feature beyond"),
    ("trees", at("feature_", (0, 0), -1), "feature beyond"),
    ("trees", at("value_", (0, 0), np.nan), "not finite"),
    ("trees", at("threshold_", (0, 0), np.inf), "not finite"),
    ("trees", cut("value_"), "must have shape"),
    ("trees", cast("left_", np.int64), "and type int32"),
    ("trees", lambda arrays: arrays.pop("model/value_"), "'value_' is missing"),
    ("trees", lambda arrays: arrays.update(spare=np.ones(2)), "belongs to nothing"),
    ("trees", lambda arrays: arrays.update({"model/spare": np.ones(2)}), "'spare' belongs to"),
    ("trees", cast("baseline_", np.float16), "F16"),
    ("discriminant", at("between_", (0, 1), 9.0), "not symmetric"),
    ("discriminant", at("between_", (0, 0), -9.0), "positive definite"),
    ("discriminant", at("n_groups_", 0, 0), "n_groups_ must be at least 1"),
    ("neighbours", at("sizes_", 0, 5_000), "do not fit"),
    ("neighbours", at("sizes_", 0, -1), "do not fit"),
    ("neighbours", at("unit_codes_", 0, 7), "do not fit"),
    ("neighbours", at("scale_", 0, 0.0), "do not fit"),
    ("network", at("scale_", 0, 0.0), "scale is not above zero"),
    ("network", at("network.head.weight", (0, 0, 0), np.nan), "not finite"),
    ("network", cut("network.head.bias"), "must have shape"),
    ("network", at("network.norms.0.variance", 0, -1e9), "no probabilities"),
]


@pytest.mark.parametrize(("name", "change", "told"), FORGED_ARRAYS)
def test_forged_arrays_are_refused(copy, name, change, told):
    folder = copy(name)
    forge(folder, arrays=change)
    with pytest.raises(ValueError, match=r"(?s)is not a sound saved model: .*" + told):
        load_model(folder)


def outcome(folder):
    """Return the probabilities of a model that loads, None for a ValueError; else let it raise."""
    try:
        model, _ = load_model(folder)
    except ValueError:
        return None
    X = np.array([[3.0, 20.0, 90.0], [400.0, 1.0, 2.0]])
    named = hasattr(model, "feature_names_in_")
    with np.errstate(all="ignore"):
        return model.predict_proba(pd.DataFrame(X, columns=model.names_) if named else X)


QUIET = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@EVERY
@QUIET
@given(data=st.data())
def test_flipped_and_cut_bytes_are_refused_or_change_nothing(name, copy, saved, data):
    folder = copy(name)
    path = folder / data.draw(st.sampled_from(["model.json", "weights.safetensors"]))
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        del content[place:]
    path.write_bytes(content)
    answer = outcome(folder)
    if answer is not None:
        np.testing.assert_array_equal(answer, outcome(saved[name]))


def leaves(content, path=()):
    """Yield the path of everything inside a JSON value."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, key))


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=4),
    st.sampled_from(["class_group", "BoostedTrees", "EnsembleClassifier", "log"]),
    st.lists(st.integers(-2, 5), max_size=4),
    st.dictionaries(st.sampled_from(["class", "params", "names"]), st.integers(0, 3), max_size=2),
)


@EVERY
@QUIET
@given(data=st.data())
def test_edited_and_signed_json_never_breaks_the_loader(name, copy, data):
    folder = copy(name)
    content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    path = data.draw(st.sampled_from(list(leaves(content))))
    forge(folder, change=setting(*path, value=data.draw(JUNK)))
    answer = outcome(folder)
    if answer is not None:
        np.testing.assert_allclose(answer.sum(axis=1), 1.0, atol=1e-6)


@EVERY
@QUIET
@given(data=st.data())
def test_edited_and_signed_arrays_never_break_the_loader(name, copy, data):
    folder = copy(name)

    def change(arrays):
        key = data.draw(st.sampled_from(sorted(arrays)))
        array = arrays[key].copy()
        if array.size:
            place = data.draw(st.integers(0, array.size - 1))
            value = data.draw(st.sampled_from([-1, 0, 1, 7, 2**31 - 1, -(2**31)]))
            array.reshape(-1)[place] = value
        arrays[key] = array

    forge(folder, arrays=change)
    outcome(folder)
