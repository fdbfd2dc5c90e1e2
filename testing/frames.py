"""Frames of the live protocol, held to the published schema: no other types, no missing and no unknown fields."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

PUBLISHED = Path(__file__).resolve().parents[1] / "docs" / "urumi.v1.schema.json"


def read_frame(text: str | bytes) -> dict[str, Any]:
    """Return a frame of the server; raise where the schema does not have it."""
    frame: dict[str, Any] = json.loads(text)
    _validator("FromServer").validate(frame)
    return frame


def is_frame(text: str, direction: str) -> bool:
    """Return whether the schema has such a frame."""
    return bool(_validator(direction).is_valid(json.loads(text)))


@cache
def _validator(direction: str) -> Any:
    schema = json.loads(PUBLISHED.read_text())
    # A reader ignores fields that it does not know; a server that is of the same age has no business to send any.
    for definition in schema["$defs"].values():
        if "properties" in definition:
            definition.setdefault("additionalProperties", False)
    return Draft202012Validator({"$ref": f"#/$defs/{direction}", "$defs": schema["$defs"]})
