"""Frames of the live protocol, validated against the published schema: no other types, no missing or unknown fields."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

PUBLISHED = Path(__file__).resolve().parents[1] / "docs" / "urumi.v1.schema.json"


def read_frame(text: str | bytes) -> dict[str, Any]:
    """Return a frame of the server; raise if the schema does not allow it."""
    frame: dict[str, Any] = json.loads(text)
    _validator("FromServer").validate(frame)
    return frame


def is_frame(text: str, direction: str) -> bool:
    """Return whether the schema allows the frame."""
    return bool(_validator(direction).is_valid(json.loads(text)))


@cache
def _validator(direction: str) -> Any:
    schema = json.loads(PUBLISHED.read_text())
    # Readers ignore unknown fields, but a server of the same version must not send any.
    for definition in schema["$defs"].values():
        if "properties" in definition:
            definition.setdefault("additionalProperties", False)
    return Draft202012Validator({"$ref": f"#/$defs/{direction}", "$defs": schema["$defs"]})
