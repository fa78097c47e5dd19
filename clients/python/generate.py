"""Makes `orchestra_client.v1` of the contract in `proto/`; `--check` only says whether it is what is there.

The messages come as `orchestra/v1/*_pb2.py`, whose imports are moved below our own package: the name `orchestra` is not
ours to take.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from grpc_tools import protoc

HERE = Path(__file__).parent
PROTOS = HERE.parent.parent / "proto"
PACKAGE = HERE / "src/orchestra_client/v1"
OURS, THEIRS = "orchestra_client.v1", "orchestra.v1"


def generate(folder: Path) -> dict[str, str]:
    """The generated files by name."""
    names = sorted(str(path.relative_to(PROTOS)) for path in PROTOS.glob("orchestra/v1/*.proto"))
    plugins = Path(sys.executable).parent
    arguments = [
        f"--plugin=protoc-gen-mypy={plugins / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={plugins / 'protoc-gen-mypy_grpc'}",
        *(f"--{kind}_out={folder}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")),
        f"--proto_path={PROTOS}",
        f"--proto_path={files('grpc_tools') / '_proto'}",
    ]
    if protoc.main(["protoc", *arguments, *names]) != 0:
        raise SystemExit("the contract could not be compiled")
    made = {path.name: path.read_text() for path in sorted((folder / "orchestra/v1").iterdir())}
    return {name: moved(text) for name, text in made.items()}


def moved(text: str) -> str:
    """A generated file with its imports below our own package."""
    return text.replace(f"from {THEIRS} import", f"from {OURS} import")


def main() -> int:
    with TemporaryDirectory() as folder:
        wanted = generate(Path(folder)) | {"__init__.py": '"""The messages and services of the contract; generated."""\n'}
    found = {path.name: path.read_text() for path in PACKAGE.glob("*.py*")} if PACKAGE.exists() else {}
    stale = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if "--check" in sys.argv[1:]:
        if stale:
            print(f"not what the contract gives: {', '.join(stale)}; run generate.py", file=sys.stderr)
        return 1 if stale else 0
    PACKAGE.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in wanted:
            (PACKAGE / name).write_text(wanted[name])
        else:
            (PACKAGE / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
