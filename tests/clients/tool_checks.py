"""Reads definitions of tools with the libraries that use them.

    python tool_checks.py < DEFINITIONS

Standard input has one JSON document per line: `target`, `openai`, `mcp`, `input` and `output`, the definitions of one tool.
Prints `ok COUNT`, or what is wrong, and exits with 1 then.
"""

import json
import sys

from jsonschema import Draft202012Validator
from mcp.types import Tool
from openai.lib._pydantic import _ensure_strict_json_schema
from openai.types.chat import ChatCompletionFunctionTool
from pydantic import TypeAdapter

wrong = []
count = 0
for line in sys.stdin:
    tool = json.loads(line)
    count += 1
    target = tool["target"]

    # OpenAI's own library has nothing left to mend in a strict schema.
    function = TypeAdapter(ChatCompletionFunctionTool).validate_python(tool["openai"]).function
    parameters = tool["openai"]["function"]["parameters"]
    Draft202012Validator.check_schema(parameters)
    if function.strict:
        mended = _ensure_strict_json_schema(json.loads(json.dumps(parameters)), path=(), root=parameters)
        if mended != parameters:
            wrong.append(f"{target}: openai would change the schema")

    parsed = Tool.model_validate(tool["mcp"])
    if parsed.name != function.name:
        wrong.append(f"{target}: {parsed.name} is not {function.name}")
    for schema in (tool["mcp"]["inputSchema"], tool["mcp"]["outputSchema"], tool["input"], tool["output"]):
        Draft202012Validator.check_schema(schema)
        # Every reference leads somewhere.
        Draft202012Validator(schema).is_valid({})
    if tool["mcp"]["outputSchema"].get("type") != "object":
        wrong.append(f"{target}: the output schema is of no object")

print("\n".join(wrong) or f"ok {count}")
sys.exit(bool(wrong))
