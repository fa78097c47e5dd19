"""An instance of a JSON Schema that depends on nothing but the schema and a prompt: what a model would answer, without
the model. It covers what the plan language makes schemas of: objects, arrays, scalars, enums, unions, references."""

import hashlib
import json
import re
from typing import Any

URL = re.compile(r"https?://[^\s\"'<>)\]}]+")
ITEMS_WANTED = 2
DEPTH_MAX = 32


def instance_text(schema: Any, prompt: str) -> str:
    """JSON text of an instance of `schema`."""
    return json.dumps(_Instance(schema, prompt).of(schema, "$", 0), ensure_ascii=False)


class _Instance:
    def __init__(self, root: Any, prompt: str) -> None:
        self.root = root
        self.prompt = prompt
        self.urls = sorted(set(URL.findall(prompt)))
        self.words = re.findall(r"\w+", prompt) or ["nothing"]

    def of(self, schema: Any, path: str, depth: int) -> Any:
        if depth > DEPTH_MAX:
            raise ValueError("the schema nests too deeply")
        if not isinstance(schema, dict):
            return None
        if "$ref" in schema:
            return self.of(self.resolve(schema["$ref"]), path, depth + 1)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][self.number(path) % len(schema["enum"])]
        for union in ("oneOf", "anyOf"):
            if union in schema:
                return self.of(schema[union][0], path, depth + 1)
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = kind[0]
        if kind == "object" or "properties" in schema:
            fields = schema.get("properties", {})
            return {name: self.of(field, f"{path}.{name}", depth + 1) for name, field in fields.items()}
        if kind == "array":
            count = min(max(ITEMS_WANTED, schema.get("minItems", 0)), schema.get("maxItems", ITEMS_WANTED))
            return [self.of(schema.get("items", {}), f"{path}[{i}]", depth + 1) for i in range(count)]
        if kind == "string":
            return self.string(schema, path)
        if kind in ("integer", "number"):
            low = schema.get("minimum", 0)
            high = schema.get("maximum", low + 100)
            span = int(high - low) + 1
            value = min(low + self.number(path) % max(span, 1), high)
            return int(value) if kind == "integer" else float(value)
        if kind == "boolean":
            return self.number(path) % 2 == 0
        return None

    def string(self, schema: dict, path: str) -> str:
        if schema.get("format") in ("uri", "url"):
            return self.urls[self.number(path) % len(self.urls)] if self.urls else "https://example.invalid/"
        if schema.get("format") == "date-time":
            return "2026-01-01T00:00:00Z"
        at = self.number(path) % len(self.words)
        text = " ".join((self.words[at:] + self.words[:at])[:12])
        text = text.ljust(schema.get("minLength", 0), ".")
        return text[: schema.get("maxLength", len(text))]

    def resolve(self, reference: str) -> Any:
        target = self.root
        for part in reference.removeprefix("#").strip("/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")] if part else target
        return target

    def number(self, path: str) -> int:
        return int.from_bytes(hashlib.sha256(f"{self.prompt}\x1f{path}".encode()).digest()[:4], "big")
