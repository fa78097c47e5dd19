"""The same through Orchestra: `brief.orch` says what is wanted, and the server does the rest."""

import json
import sys
from pathlib import Path

from orchestra_client import Client, OrchestraError

try:
    with Client() as client:
        done = client.run(Path(__file__).with_name("brief.orch"), {"topic": sys.argv[1]})
except OrchestraError as error:
    sys.exit(f"error: {error}\ncost: {error.charged}")
print(json.dumps(done.value, indent=2))
print(f"cost: {done.cost}", file=sys.stderr)
