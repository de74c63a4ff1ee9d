"""Where places lie, and the outline of the land: for the map and for GeoJSON.

Positions are from GeoNames, the outline is Natural Earth's; data/coordinates.yaml and data/land.json say so. The map's
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

import msgspec
import yaml

from monitor.errors import DataFileError
from monitor.records import Place

#: Degrees north and east.
Position = tuple[float, float]

WIDTH, HEIGHT = 1000, 486
#: What of it is shown: without the ice of the south.
VIEW = f"0 0 {WIDTH} 435"
_A = (1.340264, -0.081106, 0.000893, 0.003796)
_M = sqrt(3) / 2
#: Half of the width and of the height of the projected world, for a sphere of radius 1.
_HALF_WIDTH, _HALF_HEIGHT = 2.7066, 1.3173


class Coordinates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of positions: cities by country, and each country's capital."""

    places: Mapping[str, Mapping[str, Position]]
    countries: Mapping[str, Position]


@cache
def coordinates() -> Coordinates:
    """Read the bundled positions. Raises DataFileError."""
    text = (resources.files("monitor.archive") / "data" / "coordinates.yaml").read_text("utf-8")
    try:
        return msgspec.convert(yaml.load(text, Loader=yaml.CSafeLoader), Coordinates)  # the safe one, in C
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise DataFileError("coordinates.yaml", "", str(error)) from error


def position(place: Place | None) -> Position | None:
    """Return where a place lies: the city, or the capital when only the country is told. None when nobody knows."""
    if place is None:
        return None
    if place.name:
        return coordinates().places.get(place.country, {}).get(place.name)
    return coordinates().countries.get(place.country)


def project(latitude: float, longitude: float) -> tuple[float, float]:
    """Return a point of the map, `WIDTH` by `HEIGHT` units, from the upper left corner."""
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
    """A ring of longitudes and latitudes, cut where it crosses the 180th meridian, which is the map's edge."""
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
