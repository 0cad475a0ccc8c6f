"""The command line: words in, plain lines and files out, mistakes without tracebacks."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from gossan.cli import main
from gossan.data import add_layer, make_grid, read_grid, read_vectors, write_grid
from gossan.nets.window_cnn import WindowCNN
from gossan.prospectivity import MapModel
from gossan.saving import save_model
from gossan.simulate import simulate_mineral_chemistry
from gossan.study import KINDS

ELEMENTS = ["Mn", "Fe", "Co", "Cu", "Ga", "Ge", "Ag", "Cd", "In", "Sn", "Sb", "Pb"]


@pytest.fixture(scope="module")
def table():
    simulated = simulate_mineral_chemistry(n_deposits=8, n_per_deposit=(5, 8), random_state=1)
    return simulated.table.drop(columns=["type", "reference"])


def classify(tmp_path, table, capsys, *more):
    """Return exit code, output and error of `gossan classify` on a table."""
    table.to_csv(tmp_path / "new.csv", index=False)
    code = main(["classify", str(tmp_path / "new.csv"), *more])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_classify_names_every_deposit_with_a_verdict(tmp_path, table, capsys):
    code, out, err = classify(tmp_path, table, capsys)
    assert (code, err) == (0, "")
    for name in table["deposit"].unique():
        assert name in out
    assert "never saw" in out


def test_classify_gives_the_same_whatever_the_order_of_rows_and_columns(tmp_path, table, capsys):
    files = []
    for i, shown in enumerate([table, table.sample(frac=1, random_state=1)[table.columns[::-1]]]):
        classify(tmp_path, shown, capsys, "--out", str(tmp_path / str(i)))
        files.append(pd.read_csv(tmp_path / str(i) / "verdicts.csv"))
    pd.testing.assert_frame_equal(*files, atol=1e-6)


def test_classify_writes_report_and_tables(tmp_path, table, capsys):
    code, out, _ = classify(tmp_path, table, capsys, "--out", str(tmp_path / "out"))
    assert code == 0
    assert "report.html" in out
    for name in ("report.html", "verdicts.csv", "predictions.csv", "manifest.json"):
        assert (tmp_path / "out" / name).stat().st_size > 0
    told = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert told["row"].tolist() == list(range(2, len(table) + 2))


def test_three_rows_are_enough(tmp_path, table, capsys):
    code, out, _ = classify(tmp_path, table.head(3), capsys)
    assert code == 0
    assert table["deposit"].iloc[0] in out


def test_a_missing_element_is_named(tmp_path, table, capsys):
    code, out, _ = classify(tmp_path, table.drop(columns=["In", "Sb"]), capsys)
    assert code == 0
    assert "In, Sb not in the table" in out


def test_too_few_elements_are_refused_by_name(tmp_path, table, capsys):
    code, _, err = classify(tmp_path, table[["deposit", "Mn", "Fe", "Co"]], capsys)
    assert code == 2
    assert "3 of the 12 elements" in err
    assert "Cd" in err


@pytest.mark.parametrize("element", ["Cd", "Fe"])
def test_a_unit_that_is_wrong_by_ten_thousand_never_passes_silently(
    tmp_path, table, capsys, element
):
    wrong = table.assign(**{element: table[element] / 1e4})
    code, out, err = classify(tmp_path, wrong, capsys)
    assert code == 2 or "wrong unit" in out + err or out.count("none of these") >= 8


def test_text_in_numbers_is_named_with_its_row(tmp_path, table, capsys):
    broken = table.astype({"Fe": object})
    broken.loc[broken.index[4], "Fe"] = "12..5"
    code, _, err = classify(tmp_path, broken, capsys)
    assert code == 2
    assert "12..5" in err
    assert "6" in err


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["classify", "no_such_file.csv"], "no_such_file.csv"),
        (["classify", "no_such_file.csv", "--mineral", "sphalerit"], "'sphalerite'"),
        (["run", "no.toml"], "gossan init"),
        (["init", "genesys"], "'genesis'"),
    ],
)
def test_mistakes_end_in_one_message(capsys, words, match):
    assert main(words) == 2
    printed = capsys.readouterr()
    assert match in printed.err
    assert "Traceback" not in printed.err


@pytest.mark.parametrize("kind", KINDS)
def test_init_prints_a_study_file(capsys, kind):
    assert main(["init", kind]) == 0
    assert f'study = "{kind}"' in capsys.readouterr().out


def test_check_tells_problems_and_its_exit_code(tmp_path, capsys):
    path = tmp_path / "study.toml"
    path.write_text('study = "genesis"\n[read]\ntable = "nothing.csv"\n')
    assert main(["check", str(path)]) == 1
    assert "nothing.csv" in capsys.readouterr().out


def test_data_lists_the_sets_with_their_licences(capsys):
    assert main(["data"]) == 0
    out = capsys.readouterr().out
    assert "sphalerite" in out
    assert "CC BY 4.0" in out


def test_help_needs_none_of_the_heavy_packages():
    code = (
        "import sys; from gossan.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(m in sys.modules for m in ('torch', 'pandas', 'sklearn', 'matplotlib')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0


def test_a_deposit_far_from_everything_is_none_of_these(tmp_path, table, capsys):
    rng = np.random.default_rng(0)
    strange = table.head(10).assign(deposit="Strange")
    strange[ELEMENTS] = rng.lognormal(0, 0.1, (10, 12)) * [
        1,
        9e5,
        1e4,
        1,
        1e4,
        1e4,
        1,
        1,
        1,
        1,
        1,
        1,
    ]
    strange[ELEMENTS] = strange[ELEMENTS] / strange[ELEMENTS].sum(axis=1).to_numpy()[:, None] * 9e5
    code, out, _ = classify(tmp_path, strange, capsys)
    assert code == 0
    assert "none of these" in out


# Maps of rasters


@pytest.fixture
def region(tmp_path):
    """Return a folder with two rasters and a saved map model of them."""
    pytest.importorskip("rasterio")
    rng = np.random.default_rng(0)
    for name in ("Li", "Cs"):
        grid = make_grid((500_000, 504_000, 4_000_000, 4_003_000), 100, crs="EPSG:32650")
        values = 10 ** rng.normal(1, 0.3, size=(30, 40))
        write_grid(add_layer(grid, name, values, units="ppm"), tmp_path / f"{name}.tif")
    net = WindowCNN(n_members=2, epochs=1, random_state=0)
    net.fit(rng.normal(size=(20, 2, 3, 3)), np.arange(20) % 2)
    model = MapModel(
        net, ["Li", "Cs"], transform="log10", center=1.0, scale=0.3, floor=0.1, units="ppm"
    )
    save_model(model, tmp_path / "model", card={})
    return tmp_path


def test_score_writes_map_style_and_targets(region, capsys):
    (region / "known.csv").write_text("easting,northing\n502000,4001000\n", encoding="utf-8")
    words = ["score", region / "model", region / "Cs.tif", f"Li={region / 'Li.tif'}", "--tile", 16]
    words += ["--out", region / "score.tif", "--targets", region / "targets.gpkg"]
    code = main([*map(str, words), "--known", str(region / "known.csv"), "--share", "0.1"])
    printed = capsys.readouterr()
    assert (code, printed.err) == (0, "")
    lines = printed.out.splitlines()
    assert lines[0].startswith("1,200 cells of 2 layers in 6 tiles of 16 x 16 cells, field 3 x 3")
    steps = [line.split(" ... ")[0].strip() for line in lines[1:5]]
    assert steps == ["scoring", "ranking", "writing", "finishing"]
    assert "1,196 of 1,200 cells scored, 11.96 km²: score.tif" in printed.out
    assert "targets" in lines[-1]
    scored = read_grid(region / "score.tif")
    assert list(scored.data_vars) == ["score", "percentile", "spread", "edge_fraction"]
    assert (region / "score.qml").exists()
    assert len(read_vectors(region / "targets.gpkg", "polygons"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Li.tif"], "No raster holds the layer 'Cs'; there are Li"),
        (["Li.tif", "Cs.tf"], "Did you mean 'Cs.tif'"),
        (["Li.tif", "Cs.tif", "--edges", "near"], "edges must be one of nearest, nan, got 'near'"),
        (["Li.tif", "Cs.tif", "--out", "score.png"], "Let it end in .tif"),
        (["Li.tif", "Cs.tif", "--targets", "t.gpkg", "--known", "no.csv"], "no.csv"),
    ],
)
def test_score_tells_mistakes_without_a_traceback(region, capsys, monkeypatch, words, message):
    monkeypatch.chdir(region)
    code = main(["score", "model", "--out", "score.tif", *words])
    printed = capsys.readouterr()
    assert code == 2
    assert message in printed.err
    assert "Traceback" not in printed.err
    assert not (region / "score.tif").exists()


def test_score_needs_a_model_of_maps(region, capsys):
    (region / "none").mkdir()
    code = main(["score", str(region / "none"), "a.tif", "--out", str(region / "score.tif")])
    assert code == 2
    assert "must be a folder with exactly model.json" in capsys.readouterr().err
