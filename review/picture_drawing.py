"""Where everything in the picture is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from review.model import Picture

_BOX_WIDTH, _BOX_HEIGHT, _COLUMN_GAP, _ROW_GAP, _TOP = 156, 46, 34, 12, 40
_LABEL, _DETAIL = 17, 23
"""Characters that fit into a box."""
_SWEEPS = 6


@dataclass(frozen=True)
class Box:
    """A part in the picture."""

    x: float
    y: float
    lines: tuple[str, ...]
    title: str
    kind: str
    change: str


@dataclass(frozen=True)
class Curve:
    """A tie in the picture."""

    path: str
    title: str


@dataclass(frozen=True)
class PictureDrawing:
    """The picture, drawn."""

    width: float
    height: float
    box_width: float
    box_height: float
    columns: tuple[tuple[float, str], ...]
    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]


def draw_picture(picture: Picture) -> PictureDrawing:
    """Return where every part and tie is: parts in columns, ordered so that few ties cross."""
    order = _ordered(picture)
    step = _BOX_WIDTH + _COLUMN_GAP
    rows = max((len(names) for names in order), default=0)
    height = _TOP + max(1, rows) * (_BOX_HEIGHT + _ROW_GAP)
    at: dict[str, tuple[float, float]] = {}
    for column, names in enumerate(order):
        free = height - _TOP - len(names) * (_BOX_HEIGHT + _ROW_GAP)
        for row, name in enumerate(names):
            at[name] = (column * step, _TOP + free / 2 + row * (_BOX_HEIGHT + _ROW_GAP))
    boxes = tuple(
        Box(
            *at[node.id],
            tuple(filter(None, (_cut(node.label, _LABEL), _cut(node.detail, _DETAIL)))),
            f"{node.label}: {node.detail}" if node.detail else node.label,
            node.kind,
            node.change,
        )
        for node in picture.nodes
    )
    labels = {node.id: node.label for node in picture.nodes}
    curves = tuple(
        Curve(_curve(at[tie.source], at[tie.target]), f"{labels[tie.source]} {tie.label} {labels[tie.target]}")
        for tie in picture.ties
    )
    columns = tuple((index * step, name) for index, name in enumerate(picture.columns))
    width = len(picture.columns) * step - _COLUMN_GAP
    return PictureDrawing(width + 2, height, _BOX_WIDTH, _BOX_HEIGHT, columns, boxes, curves)


def _ordered(picture: Picture) -> list[list[str]]:
    """Order each column by the mean place of what its parts are tied to, sweeping to and fro."""
    columns: list[list[str]] = [[] for _ in picture.columns]
    for node in picture.nodes:
        columns[node.column].append(node.id)
    near: dict[str, list[str]] = {}
    for tie in picture.ties:
        near.setdefault(tie.source, []).append(tie.target)
        near.setdefault(tie.target, []).append(tie.source)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else columns[::-1]:
            places = _places(columns)
            column.sort(key=lambda name: _mean(name, near, places))
    return columns


def _places(columns: Sequence[Sequence[str]]) -> dict[str, float]:
    return {name: (row + 0.5) / len(names) for names in columns for row, name in enumerate(names)}


def _mean(name: str, near: Mapping[str, Sequence[str]], places: Mapping[str, float]) -> tuple[bool, float]:
    """Return where a part wants to be; those that are tied to nothing come last."""
    others = near.get(name, ())
    return not others, sum(places[one] for one in others) / len(others) if others else places[name]


def _curve(source: tuple[float, float], target: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = source, target
    y1, y2 = y1 + _BOX_HEIGHT / 2, y2 + _BOX_HEIGHT / 2
    if x1 == x2:  # within a column: a bow on its right
        x = x1 + _BOX_WIDTH
        return f"M{x:.1f} {y1:.1f} C{x + 30:.1f} {y1:.1f} {x + 30:.1f} {y2:.1f} {x:.1f} {y2:.1f}"
    x1 += _BOX_WIDTH
    middle = (x1 + x2) / 2
    return f"M{x1:.1f} {y1:.1f} C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"
