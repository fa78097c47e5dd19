"""Runs both programs while the search fails in one way after another, and prints what became of them as a table.

The server, the subnets and the keys are those of the environment (`tests/tests/diy.rs` sets it up). A topic that begins with the
name of a failure makes the search of `tests/peers/unruly_server.py` fail so: every time, or once (`*1`).
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = {"by_hand.py": ["by_hand.py"], "with_orchestra.py": ["with_orchestra.py", "brief.orch"]}
FAILURES = {
    "nothing fails": "",
    "no answer, once": "timeout*1:",
    "no answer at all": "timeout:",
    "429, once": "busy*1:",
    "429 every time": "busy:",
    "a page of HTML instead of JSON, once": "html*1:",
    "a page of HTML every time": "html:",
    "half an answer, once": "half*1:",
    "half an answer every time": "half:",
    "JSON of another shape": "schema:",
    "402, payment required": "payment:",
    "a charge of 0.5 USD, ten times the budget": "dear:",
}


def outcome(program: str, topic: str) -> str:
    """What a user of the program sees."""
    ended = subprocess.run([sys.executable, HERE / program, f"{topic}{program}"], capture_output=True, text=True)
    if "Traceback" in ended.stderr:
        return "a traceback"
    if ended.returncode == 0:
        seen = "the result"
    else:
        assert ended.stderr.startswith("error: "), ended.stderr
        if "-v" in sys.argv:
            print(program, topic, ended.stderr, file=sys.stderr)
        seen = "an error that says why"
    return f"{seen}, and the cost" if "cost: " in ended.stderr else seen


def lines(files: list[str]) -> int:
    """Lines that are neither empty nor text for people."""
    return sum(len(code(HERE / file)) for file in files)


def code(file: Path) -> list[str]:
    text = file.read_text()
    if file.suffix == ".py":
        for doc in text.split('"""')[1::2]:
            text = text.replace(f'"""{doc}"""', "")
    return [line for line in map(str.strip, text.splitlines()) if line and not line.startswith(("#", "//"))]


def main() -> None:
    with ThreadPoolExecutor(len(FAILURES)) as pool:
        cells = {
            (name, program): pool.submit(outcome, program, topic)
            for name, topic in FAILURES.items()
            for program in PROGRAMS
        }
    print("| the search gives | by hand | with Orchestra |\n|---|---|---|")
    print("| *lines of code* | " + " | ".join(str(lines(files)) for files in PROGRAMS.values()) + " |")
    for name in FAILURES:
        print(f"| {name} | " + " | ".join(cells[name, program].result() for program in PROGRAMS) + " |")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    main()
