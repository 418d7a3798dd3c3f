"""Templates are whatever people deploy: a review is made of any, however odd, and no page of one breaks."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from review.build import review
from review.render import to_html, to_json, to_markdown
from tests.review.assemblies import DAY, Template, corp, mended

pytestmark = pytest.mark.xdist_group("review")

ODD: list[Any] = [
    *(None, "", [], {}, "x", 0, -1, True, 3.5, ["a"], [None], [[]]),
    *({"Ref": "Nowhere"}, {"Ref": "AWS::NoValue"}, {"Fn::If": ["c", "a", "b"]}, {"Fn::Sub": "${AWS::Region}-x"}),
]


def places(node: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in entries:
        yield (*above, key)
        yield from places(value, (*above, key))


@pytest.mark.parametrize("seed", range(12))
def test_a_template_with_anything_anywhere_is_reviewed(seed: int) -> None:
    chance = random.Random(seed)

    def spoil(resources: Template) -> None:
        for _ in range(12):
            *above, last = chance.choice([place for place in places(resources) if len(place) > 2])
            node: Any = resources
            for key in above:
                node = node[key]
            if chance.random() < 0.3:
                del node[last]
            else:
                node[last] = copy.deepcopy(chance.choice(ODD))

    odd = mended(spoil)
    for after, before in ((odd, corp()), (corp(), odd)):
        made = review(after, before, day=DAY)
        assert made.resources
        assert to_html(made).endswith("</html>")
        assert to_markdown(made)
        assert to_json(made)
