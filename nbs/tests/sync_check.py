"""Are the notebooks clean, and is the package what they export? Works on a copy, so it changes nothing here."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat


def files(folder: Path) -> dict[str, Path]:
    paths = {p.relative_to(folder): p for p in folder.rglob("*") if p.suffix in (".py", ".ipynb")}
    return {str(n): p for n, p in paths.items() if not any(part.startswith((".", "__pycache__")) for part in n.parts)}


def seen(output: dict) -> dict:
    """An output without its number; a picture may end in a line break, which cleaning takes away."""
    data = {kind: v.rstrip() if kind.startswith("image/") else v for kind, v in output.get("data", {}).items()}
    return {k: v for k, v in output.items() if k != "execution_count"} | {"data": data}


def meaning(path: Path) -> bytes | list:
    """Of a notebook: sources, tags, outputs. What JupyterLab changes where somebody only looks is left out: kernel, language, counts, spacing."""
    if path.suffix != ".ipynb":
        return path.read_bytes()
    return [
        (
            cell.cell_type,
            cell.get("id"),
            cell.source,
            cell.metadata.get("tags", []),
            cell.get("attachments", {}),
            [seen(output) for output in cell.get("outputs", [])],
        )
        for cell in nbformat.read(path, as_version=4).cells
    ]


def compare(folder: Path, made: Path) -> list[str]:
    """Names of files that only one of two folders has, or that mean something else."""
    a, b = files(folder), files(made)
    names = sorted(a.keys() | b.keys())
    return [n for n in names if n not in a or n not in b or meaning(a[n]) != meaning(b[n])]


def differences(root: Path) -> list[str]:
    """Files of a checkout that are not what cleaning and exporting its notebooks gives."""
    tools = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as tmp:
        copy = Path(tmp) / root.name
        copy.mkdir()
        shutil.copy(root / "settings.ini", copy)
        shutil.copytree(root / "nbs", copy / "nbs", ignore=shutil.ignore_patterns(".*", "__pycache__"))
        for command in ("nbdev_clean", "nbdev_export"):
            subprocess.run([tools / command], cwd=copy, check=True, capture_output=True)
        return [f"{folder}/{n}" for folder in ("nbs", "oaml") for n in compare(root / folder, copy / folder)]


def main() -> int:
    if differ := differences(Path(__file__).resolve().parents[2]):
        print("not in sync: " + ", ".join(differ) + ". Run `make sync` and commit the result.")
        return 1
    print("notebooks are clean and oaml/ is their export")
    return 0


if __name__ == "__main__":
    sys.exit(main())
