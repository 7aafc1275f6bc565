"""Build the wheel without the native part: castiron-VERSION-py3-none-any.whl.

    python tools/pure_wheel.py --out target/wheels

It holds the Python files of the package alone; castiron finds no native part in it and enforces in pure Python, on any
interpreter of the language's version. Equal sources give an equal file, byte by byte.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
TAG = "py3-none-any"
WHEEL = f"Wheel-Version: 1.0\nGenerator: castiron tools/pure_wheel.py\nRoot-Is-Purelib: true\nTag: {TAG}\n"
EARLIEST = (1980, 1, 1, 0, 0, 0)


def metadata(project: dict[str, object], version: str) -> str:
    """Give the text of METADATA."""
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {version}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        f"Requires-Python: {project['requires-python']}",
        "Description-Content-Type: text/markdown",
    ]
    classifiers = project["classifiers"]
    assert isinstance(classifiers, list)
    lines += [f"Classifier: {classifier}" for classifier in classifiers if "Rust" not in classifier]
    readme = (ROOT / str(project["readme"])).read_text(encoding="utf-8")
    return "\n".join(lines) + "\n\n" + readme


def files() -> dict[str, bytes]:
    """Give the files of the wheel by their names in it, without RECORD."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    package = ROOT / "pydecorators"
    found = {
        path.relative_to(package).as_posix(): path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.suffix in (".py", ".pyi") or path.name == "py.typed"
    }
    folder = f"castiron-{version}.dist-info"
    scripts = "".join(f"{name} = {target}\n" for name, target in project["scripts"].items())
    found[f"{folder}/METADATA"] = metadata(project, version).encode()
    found[f"{folder}/WHEEL"] = WHEEL.encode()
    found[f"{folder}/entry_points.txt"] = f"[console_scripts]\n{scripts}".encode()
    for name in project["license-files"]:
        found[f"{folder}/licenses/{name}"] = (ROOT / name).read_bytes()
    return found


def record(found: dict[str, bytes]) -> tuple[str, bytes]:
    """Give the name and the text of RECORD."""
    name = next(name for name in found if name.endswith("/WHEEL")).replace("/WHEEL", "/RECORD")
    lines = []
    for path, data in found.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}\n")
    return name, "".join([*lines, f"{name},,\n"]).encode()


def build(out: Path) -> Path:
    """Write the wheel into the folder and give its path."""
    found = files()
    name, data = record(found)
    version = name.removeprefix("castiron-").partition(".dist-info")[0]
    path = out / f"castiron-{version}-{TAG}.whl"
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inner, content in {**found, name: data}.items():
            archive.writestr(zipfile.ZipInfo(inner, EARLIEST), content, zipfile.ZIP_DEFLATED)
    return path


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Build the wheel without the native part.")
    parser.add_argument("--out", type=Path, default=ROOT / "target" / "pure")
    print(build(parser.parse_args().out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
