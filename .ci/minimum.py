"""Print the lowest versions that pyproject.toml allows, as constraints for pip.

PyTorch is left to the constraints of the project: an older build of it pulls gigabytes of GPU libraries.
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXTRAS = ("boosting", "gis", "large", "omf", "completion")


def main():
    """Print one line `name==version` for each dependency."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = project["dependencies"] + [
        line for extra in EXTRAS for line in project["optional-dependencies"][extra]
    ]
    for line in asked:
        name, least = re.fullmatch(r"([\w-]+)(?:\[\w+\])?(?:>=|==)([\d.]+)", line).groups()
        if name != "torch":
            print(f"{name}=={least}")
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    print(re.search(r"^torch==.*$", pinned, flags=re.MULTILINE)[0])


if __name__ == "__main__":
    main()
