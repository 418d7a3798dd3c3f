"""The JSON Schema of a review as JSON: `make schema` writes it to docs/review.schema.json."""

from __future__ import annotations

import json
import sys

from review.model import Review


def schema() -> str:
    """Return the schema as the file has it."""
    found = Review.model_json_schema(mode="serialization")
    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": "A review as JSON"}
    return json.dumps(found, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
