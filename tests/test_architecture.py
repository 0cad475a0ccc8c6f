"""Who may import whom, and the one door of each heavy dependency: read from the source with ast."""

import ast
from pathlib import Path

import pytest

import gossan

SOURCE = Path(gossan.__file__).parent

# Room -> what it may import besides itself. Whatever is not listed may not be.
ISLANDS = ("data", "geochem", "geostat", "models", "nets", "validation")
# Models and nets weigh rows (_weights), fit one as many (_fit_alone), score maps (_map_tiles) and are
# saved (saving) alike, yet do not meet. Whoever has many jobs hands them to cluster, Dask's door.
FREE_TO_ALL = (
    "_checks", "_units", "_lazy", "_fit_alone", "_machine", "_map_tiles", "_spreadsheets", "_weights",
    "saving", "cluster",
)  # fmt: skip
MAY_IMPORT = {
    "": (),  # the face loads lazily, through _lazy
    **dict.fromkeys((*FREE_TO_ALL, *ISLANDS), ()),
    "_model_files": (),
    "saving": ("_model_files",),
    "studies": (),
    "evidence": ("data.grids", "data.surfaces", "geochem", "geostat.variogram"),
    "sampling": ("data", "geostat"),
    "prospectivity": ("data", "sampling.edges"),
    "simulate": ("data", "geostat"),
    "datasets": ("data", "geostat"),
    "plot": ("data", "geostat", "validation.curves"),
    "report": ("plot", "prospectivity", "validation"),
    "cli": ("study", "studies", "datasets", "prospectivity"),
}
# studies/ holds the steps of each study beside its template: it stands on every floor, under study.
MAY_IMPORT["studies"] = tuple(room for room in MAY_IMPORT if room not in ("", "study", "cli"))
MAY_IMPORT["study"] = tuple(room for room in MAY_IMPORT if room not in ("", "cli"))

# Estimators of nets/ share the private modules; only these build on another estimator.
NETS_MAY_IMPORT = {
    "pretext": ("dense",),
    "student_teacher": ("autoencoder",),
    "window_pretext": ("window_cnn",),
}

# The few that tell the version of gossan in what they write, or compare it.
MAY_KNOW_VERSION = ("study", "studies", "saving", "cli", "nets", "models", "report", "cluster")

# Dependency -> the modules through which alone it may enter. No door: not to be imported at all.
DOORS = {
    "torch": ("nets", "geostat.kriging"),
    "matplotlib": ("plot",),
    "pyvista": ("plot",),
    "dask": ("cluster", "geostat.chunked"),  # which digests layers that may be Dask arrays
    "distributed": ("cluster",),
    "rasterio": ("data",),
    "geopandas": ("data",),
    "tomllib": ("study",),
    "pickle": (),  # opening a model from a stranger runs no code
    "dill": (),
    "cloudpickle": (),
}
MOST_LINES = 450


def is_within(module, places):
    """Tell whether `module` is one of `places` or lies inside one."""
    return any(module == place or module.startswith(f"{place}.") for place in places)


def modules_of(root):
    """Yield (dotted name below the package, path) of each module; a package is its folder."""
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports_of(name, path):
    """Return (line, dotted target) of all imports of a module, also those inside functions."""
    package = ["gossan", *name.split(".")] if name else ["gossan"]
    if path.name != "__init__.py":
        package.pop()
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = [*above, *(node.module or "").split(".")] if node.module else above
            found += [(node.lineno, ".".join([*base, alias.name])) for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
            ("import_module", "__import__")
        ):
            words = [a.value for a in node.args if isinstance(a, ast.Constant)]
            found += [(node.lineno, str(word)) for word in words[:1]]
    return found


def breaches_of_imports(root):
    """Return a sentence for each import between rooms that the table does not list."""
    breaches = []
    for name, path in modules_of(root):
        room = name.split(".")[0]
        for line, target in imports_of(name, path):
            if not is_within(target, ("gossan",)):
                continue
            where = f"{name or 'gossan'} (line {line}) imports {target}"
            aim = target.removeprefix("gossan").lstrip(".")
            if room not in MAY_IMPORT:
                breaches.append(f"{where}, but the room {room} is not in the table")
            elif aim in {"", "__version__"}:
                if room not in MAY_KNOW_VERSION or not aim:
                    breaches.append(f"{where}: rooms do not import the face")
            elif room == "nets" and is_within(aim, ("nets",)):
                if not may_import_net(name, aim):
                    breaches.append(f"{where}: an estimator of nets does not build on another")
            elif not is_within(aim, (room, *FREE_TO_ALL, *MAY_IMPORT[room])):
                breaches.append(f"{where}, which {room or 'the face'} may not")
    return breaches


def may_import_net(name, aim):
    """Tell whether one module of nets may import another."""
    importer, imported = name.split(".")[-1], aim.split(".")[1]
    return (
        name == "nets"
        or imported.startswith("_")
        or imported in (importer, *NETS_MAY_IMPORT.get(importer, ()))
    )


def breaches_of_doors(root):
    """Return a sentence for each heavy dependency that enters elsewhere than by its door."""
    return [
        f"{name} (line {line}) imports {target}, whose door is {DOORS[heavy] or 'closed'}"
        for name, path in modules_of(root)
        for line, target in imports_of(name, path)
        if (heavy := target.split(".")[0]) in DOORS and not is_within(name, DOORS[heavy])
    ]


def breaches_of_shape(root):
    """Return a sentence for each module that is too long or is a drawer for everything."""
    breaches = []
    for name, path in modules_of(root):
        n_lines = len(path.read_text(encoding="utf-8").splitlines())
        if n_lines > MOST_LINES:
            breaches.append(f"{name} has {n_lines} lines, more than {MOST_LINES}")
        if path.stem.strip("_") in {"utils", "util", "helpers", "misc", "common"}:
            breaches.append(f"{name}: a helper lives with its one user or has a name of its own")
    return breaches


def test_rooms_import_only_what_the_table_lists():
    assert breaches_of_imports(SOURCE) == []


def test_heavy_dependencies_enter_by_their_one_door():
    assert breaches_of_doors(SOURCE) == []


def test_modules_stay_short_and_none_is_a_drawer():
    assert breaches_of_shape(SOURCE) == []


def test_the_guard_reads_the_whole_package():
    names = [name for name, _ in modules_of(SOURCE)]
    assert {"", "_checks", "datasets", "data"} <= set(names)


def plant(root, module, source):
    """Write a one-module package under `root`."""
    path = root.joinpath(*module.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("validation.curves", "from gossan.nets.dense import DenseClassifier"),
        ("validation.curves", "import gossan.models.baselines"),
        ("validation.curves", "from gossan import models"),
        ("validation.curves", "from ..models import baselines"),
        ("validation.curves", "def f():\n    from gossan.data import assays"),
        ("plot.curves", "from gossan.validation import crossval"),
        ("plot.curves", "import importlib\nimportlib.import_module('gossan.models')"),
        ("nets.window_cnn", "from gossan.nets.dense import DenseClassifier"),
        ("nets.window_cnn", "from .dense import DenseClassifier"),
        ("evidence.halos", "from gossan.data.assays import Assays"),
        ("data.assays", "import gossan"),
        ("data.assays", "from gossan import __version__"),
        ("cli", "from gossan.validation import curves"),
        ("attic.old", "from gossan.data import assays"),
    ],
)
def test_a_planted_import_between_islands_is_caught(tmp_path, module, source):
    assert len(breaches_of_imports(plant(tmp_path, module, source))) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("validation.curves", "from gossan._checks import check_option"),
        ("validation.crossval", "from gossan.validation import curves"),
        ("validation.crossval", "from .curves import capture"),
        ("plot.curves", "from gossan.validation.curves import capture"),
        ("plot.curves", "from gossan.validation import curves"),
        ("nets.pretext", "from gossan.nets.dense import DenseClassifier"),
        ("nets.dense", "from gossan.nets._training import train"),
        ("study", "from gossan.report import write_report\nfrom gossan import __version__"),
        ("cli", "from gossan import datasets, study, __version__"),
        ("nets.dense", "import torch.nn as nn"),
        ("plot.maps", "from matplotlib import pyplot"),
    ],
)
def test_a_permitted_import_passes(tmp_path, module, source):
    root = plant(tmp_path, module, source)
    assert breaches_of_imports(root) + breaches_of_doors(root) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("models.baselines", "import torch"),
        ("models.baselines", "def f():\n    from torch import nn"),
        ("report.page", "from matplotlib import pyplot"),
        ("data.grids", "import importlib\nimportlib.import_module('dask.array')"),
        ("cli", "import tomllib"),
        ("nets.dense", "import pickle"),
    ],
)
def test_a_heavy_dependency_by_another_door_is_caught(tmp_path, module, source):
    assert len(breaches_of_doors(plant(tmp_path, module, source))) == 1


def test_a_long_module_and_a_drawer_are_caught(tmp_path):
    plant(tmp_path, "data.long", "x = 1\n" * (MOST_LINES + 1))
    plant(tmp_path, "data.utils", "x = 1\n")
    assert len(breaches_of_shape(tmp_path)) == 2


# Calls by which a file could run code, or a word of a user a command.
UNSAFE = (
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load", "pickle.loads",
    "joblib.load", "torch.load", "yaml.load", "yaml.unsafe_load", "marshal.load", "marshal.loads",
    "shelve.open", "pd.read_pickle", "pandas.read_pickle", "tarfile.extractall", "zipfile.extractall",
)  # fmt: skip
UNSAFE_METHODS = ("read_pickle", "to_pickle", "extractall", "extract_all")


def breaches_of_safety(root):
    """Return a sentence for each call that may run what a file or a user says."""
    breaches = []
    for name, path in modules_of(root):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            words = {each.arg: each.value for each in node.keywords}
            is_unsafe = called in UNSAFE or called.split(".")[-1] in UNSAFE_METHODS
            pickles = words.get("allow_pickle")
            is_unsafe |= isinstance(pickles, ast.Constant) and pickles.value is not False
            is_unsafe |= called.endswith("np.load") and "allow_pickle" not in words
            is_unsafe |= "shell" in words
            if called.split(".")[-1] == "Environment":
                escape = words.get("autoescape")
                is_unsafe |= not (isinstance(escape, ast.Constant) and escape.value is True)
            if is_unsafe:
                breaches.append(f"{name} (line {node.lineno}) calls {ast.unparse(node)[:60]}")
    return breaches


def test_no_call_runs_what_a_file_or_a_user_says():
    assert breaches_of_safety(SOURCE) == []


@pytest.mark.parametrize(
    "source",
    [
        "eval('1')",
        "import torch\ntorch.load('x')",
        "import joblib\njoblib.load('x')",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "import numpy as np\nnp.load('x')",
        "import subprocess\nsubprocess.run('x', shell=True)",
        "from jinja2 import Environment\nEnvironment()",
        "from jinja2 import Environment\nEnvironment(autoescape=False)",
        "import zipfile\nzipfile.ZipFile('x').extractall()",
        "import pandas as pd\npd.read_pickle('x')",
    ],
)
def test_a_call_that_may_run_code_is_caught(tmp_path, source):
    assert len(breaches_of_safety(plant(tmp_path, "data.assays", source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "network.eval()",
        "import numpy as np\nnp.load('x', allow_pickle=False)",
        "from jinja2 import Environment\nEnvironment(autoescape=True)",
        "import re\nre.compile('x')",
    ],
)
def test_a_call_that_runs_nothing_passes(tmp_path, source):
    assert breaches_of_safety(plant(tmp_path, "data.assays", source)) == []
