"""Check that a built wheel holds all that the package needs: modules, data, models, licences."""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"


def main(folder):
    """Check the one wheel and the one source archive in `folder`; exit with what is missing."""
    (wheel,) = Path(folder).glob("*.whl")
    (archive,) = Path(folder).glob("*.tar.gz")
    inside = set(zipfile.ZipFile(wheel).namelist())
    missing = sorted(package_files() - inside)
    missing += [name for name in ("LICENSE", "NOTICE") if not any(n.endswith(name) for n in inside)]
    missing += [f"a shipped model ({name})" for name in missing_model_parts(inside)]
    with tarfile.open(archive) as packed:
        tops = {name.split("/")[1] for name in packed.getnames() if "/" in name}
    missing += [f"{name} in the source archive" for name in {"src", "tests", "README.md"} - tops]
    if missing:
        sys.exit("The build lacks: " + ", ".join(missing))
    run_from(wheel)
    print(f"{wheel.name}: {len(inside)} files, {wheel.stat().st_size / 1e6:.1f} MB, complete")


def package_files():
    """Return the files of the package that are not made by running it."""
    return {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.joinpath("gossan").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def missing_model_parts(inside):
    """Return which of the two parts of a model no folder of the wheel holds together."""
    parts = ("model.json", "weights.safetensors")
    homes = [{name.rpartition("/")[0] for name in inside if name.endswith("/" + p)} for p in parts]
    return [] if homes[0] & homes[1] else list(parts)


def run_from(wheel):
    """Run the command from the unpacked wheel, away from the source tree."""
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(wheel).extractall(folder)  # noqa: S202, our own wheel
        probe = (
            f"import sys; sys.path.insert(0, {folder!r}); import gossan, gossan.datasets as d;"
            f" assert gossan.__file__.startswith({folder!r}); d.list_datasets();"
            " from gossan.cli import main; sys.argv = ['gossan', '--help']; main()"
        )
        subprocess.run([sys.executable, "-c", probe], check=True, cwd=folder, stdout=-3)  # noqa: S603


if __name__ == "__main__":
    main(sys.argv[1])
