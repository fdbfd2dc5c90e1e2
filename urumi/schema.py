"""The live protocol as a JSON Schema, made from the models that read and write it.

`docs/urumi.v1.schema.json` is this document; a test holds them equal. To write it anew:

    python -m urumi.schema > docs/urumi.v1.schema.json
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic.json_schema import models_json_schema

from urumi.wire import SUBPROTOCOL, Bookmark, Delta, Goodbye, Resync, Snapshot, Subscribe

FROM_SERVER = (Snapshot, Delta, Bookmark, Resync, Goodbye)
FROM_CLIENT = (Subscribe,)


def live_schema() -> dict[str, Any]:
    """Return the schema; `$defs` has `FromServer` and `FromClient`, the frames of each direction."""
    models = (*FROM_CLIENT, *FROM_SERVER)
    _, schema = models_json_schema([(model, "validation") for model in models], ref_template="#/$defs/{model}")
    found: dict[str, Any] = schema["$defs"]
    for model in models:
        # The models fill `type` in by themselves; on the wire it is what tells frames apart.
        frame = found[model.__name__]
        frame["required"] = ["type", *frame.get("required", [])]
    upsert = {"properties": {"op": {"const": "upsert"}}}
    found["Delta"] |= {"if": upsert, "then": {"required": ["store"]}}
    found["FromServer"] = {"oneOf": [_reference(model) for model in FROM_SERVER]}
    found["FromClient"] = {"oneOf": [_reference(model) for model in FROM_CLIENT]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:urumi:schema:{SUBPROTOCOL}",
        "title": f"Frames of the WebSocket subprotocol {SUBPROTOCOL}",
        "anyOf": [{"$ref": "#/$defs/FromServer"}, {"$ref": "#/$defs/FromClient"}],
        "$defs": found,
    }


def _reference(model: type) -> dict[str, str]:
    return {"$ref": f"#/$defs/{model.__name__}"}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(live_schema(), indent=2) + "\n")
