"""Are the notebooks clean, and is the package what they export? Works on a copy, so it changes nothing here."""

import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def files(folder: Path) -> dict[str, Path]:
    return {
        str(p.relative_to(folder)): p
        for p in folder.rglob("*")
        if p.suffix in (".py", ".ipynb") and not {"__pycache__", ".ipynb_checkpoints"} & set(p.parts)
    }


def main() -> int:
    root, tools = Path(__file__).resolve().parents[2], Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as tmp:
        copy = Path(tmp) / root.name
        copy.mkdir()
        shutil.copy(root / "settings.ini", copy)
        shutil.copytree(root / "nbs", copy / "nbs")
        for command in ("nbdev_clean", "nbdev_export"):
            subprocess.run([tools / command], cwd=copy, check=True, capture_output=True)
        differ = []
        for folder in ("nbs", "oaml"):
            ours, made = files(root / folder), files(copy / folder)
            differ += [
                f"{folder}/{n}"
                for n in sorted(ours.keys() | made.keys())
                if n not in ours or n not in made or not filecmp.cmp(ours[n], made[n], shallow=False)
            ]
    if differ:
        print("not in sync: " + ", ".join(differ) + ". Run `make sync` and commit the result.")
        return 1
    print("notebooks are clean and oaml/ is their export")
    return 0


if __name__ == "__main__":
    sys.exit(main())
