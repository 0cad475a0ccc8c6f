"""Surfaces in the Open Mining Format 1.0.1: triangulated surface elements.

A path comes in and meshes go out, or the reverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gossan.data.grids._omf import quiet_omf
from gossan.data.grids._omf_checks import check_omf
from gossan.data.surfaces._mesh import Mesh, RefusedError, mesh_of
from gossan.data.surfaces.record import Surface
from gossan.data.tables.places import FEET


def read_omf(path: Path) -> list[Mesh]:
    """Read the triangulated surfaces of a project; its points, lines and grids are passed over."""
    with quiet_omf() as omf, path.open("rb") as file:
        check_omf(path)
        project = omf.OMFReader(file).get_project()
        if str(project.units).strip().lower() in FEET:
            raise RefusedError(f"its units are {project.units!r}, not metres. Export it in metres")
        meshes = []
        for element in project.elements:
            body = element.geometry
            if not isinstance(body, omf.SurfaceGeometry):
                continue
            origin = np.asarray(project.origin, float) + np.asarray(body.origin, float)
            vertices = np.asarray(body.vertices.array, float) + origin
            meshes.append(mesh_of(str(element.name), vertices, body.triangles.array))
        if not meshes:
            kinds = sorted({type(each).__name__ for each in project.elements})
            raise RefusedError(
                f"it holds no triangulated surface, but {', '.join(kinds) or 'nothing'}. Read grids"
                " with read_grid"
            )
    return meshes


def write_omf(surfaces: Sequence[Surface], path: Path) -> None:
    """Write a project of one element a surface, called as the file."""
    with quiet_omf() as omf:
        elements = [
            omf.SurfaceElement(
                name=surface.name,
                geometry=omf.SurfaceGeometry(
                    vertices=omf.Vector3Array(surface.vertices),
                    triangles=omf.Int3Array(surface.triangles),
                ),
            )
            for surface in surfaces
        ]
        project = omf.Project(name=path.stem, units="m", elements=elements)
        project.validate()
        omf.OMFWriter(project, str(path))
