"""The live protocol as a JSON Schema, generated from the wire models.

A test compares `docs/urumi.v1.schema.json` with it. To regenerate that file:

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
    """Return the schema; `FromServer` and `FromClient` in `$defs` are the frames of each direction."""
    models = (*FROM_CLIENT, *FROM_SERVER)
    _, schema = models_json_schema([(model, "validation") for model in models], ref_template="#/$defs/{model}")
    definitions: dict[str, Any] = schema["$defs"]
    for model in models:
        # The models default `type`; on the wire it is required, as it discriminates the frames.
        frame = definitions[model.__name__]
        frame["required"] = ["type", *frame.get("required", [])]
    upsert = {"properties": {"op": {"const": "upsert"}}}
    definitions["Delta"] |= {"if": upsert, "then": {"required": ["store"]}}
    for name, direction in (("FromServer", FROM_SERVER), ("FromClient", FROM_CLIENT)):
        definitions[name] = {"oneOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in direction]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:urumi:schema:{SUBPROTOCOL}",
        "title": f"Frames of the WebSocket subprotocol {SUBPROTOCOL}",
        "anyOf": [{"$ref": "#/$defs/FromServer"}, {"$ref": "#/$defs/FromClient"}],
        "$defs": definitions,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(live_schema(), indent=2) + "\n")
