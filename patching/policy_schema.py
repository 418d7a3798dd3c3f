"""The JSON Schema of the policy file, by which editors complete it and explain its keys.

It says what a schema can say; what depends on other keys is checked when the file is read. `make schema` writes
it anew.
"""

from __future__ import annotations

import json
from typing import Any

from patching.policy import Policy


def schema() -> dict[str, Any]:
    """Return the schema, made from the policy's own models."""
    made = Policy.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": "patchops policy",
    }


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
