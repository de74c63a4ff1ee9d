"""Positions of places and the outline of the land, for the map and for GeoJSON.

Positions are from GeoNames (data/coordinates.yaml), the outline from Natural Earth (data/land.json). The map's
projection is Equal Earth (Šavrič, Patterson, Jenny 2018, https://doi.org/10.1080/13658816.2018.1504949), which shows
areas in proportion.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from pathlib import Path

import msgspec

from monitor.records import Place
from monitor.yaml_text import read_data_file

#: Degrees north and east.
Position = tuple[float, float]

WIDTH, HEIGHT = 1000, 486
#: The visible part of the map, without Antarctica.
VIEW = f"0 0 {WIDTH} 435"
_A = (1.340264, -0.081106, 0.000893, 0.003796)
_M = sqrt(3) / 2
#: Half the width and height of the projected world, for a sphere of radius 1.
_HALF_WIDTH, _HALF_HEIGHT = 2.7066, 1.3173


class Coordinates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of positions: cities by country, and each country's capital."""

    places: Mapping[str, Mapping[str, Position]]
    countries: Mapping[str, Position]


@cache
def coordinates() -> Coordinates:
    """Read the bundled positions. Raises DataFileError."""
    return read_data_file(Path(__file__).parent / "data" / "coordinates.yaml", Coordinates)


def position(place: Place | None) -> Position | None:
    """Return the position of a place: of the city, or of the capital if only the country is known; None if unknown."""
    if place is None:
        return None
    if place.name:
        return coordinates().places.get(place.country, {}).get(place.name)
    return coordinates().countries.get(place.country)


def project(latitude: float, longitude: float) -> tuple[float, float]:
    """Return a point of the map in a field of WIDTH by HEIGHT units, counted from the upper left corner."""
    angle = asin(_M * sin(radians(latitude)))
    square = angle * angle
    sixth = square**3
    x = radians(longitude) * cos(angle) / (_M * (_A[0] + 3 * _A[1] * square + sixth * (7 * _A[2] + 9 * _A[3] * square)))
    y = angle * (_A[0] + _A[1] * square + sixth * (_A[2] + _A[3] * square))
    return (
        round((1 + x / _HALF_WIDTH) * WIDTH / 2, 1),
        round((1 - y / _HALF_HEIGHT) * HEIGHT / 2, 1),
    )


@cache
def land() -> str:
    """Return the outline of the land as the `d` of an SVG path."""
    rings = json.loads((resources.files("monitor.archive") / "data" / "land.json").read_text("utf-8"))["rings"]
    return "".join(_path(piece) for ring in rings for piece in _pieces(ring))


def _pieces(values: list[float]) -> list[list[tuple[float, float]]]:
    """A ring of longitudes and latitudes, cut at the 180th meridian, which is the edge of the map."""
    points = list(zip(values[::2], values[1::2], strict=True))
    cuts = [n for n in range(len(points)) if abs(points[n][0] - points[n - 1][0]) > 180]
    if not cuts:
        return [points]
    turned = points[cuts[0] :] + points[: cuts[0]]
    ends = [*(cut - cuts[0] for cut in cuts), len(turned)]
    return [turned[start:end] for start, end in pairwise(ends)]


def _path(points: list[tuple[float, float]]) -> str:
    projected = (project(latitude, longitude) for longitude, latitude in points)
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in projected) + "Z"
