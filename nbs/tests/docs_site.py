"""Make a site of the stored notebooks and the documentation: docs_site.py OUT. Nothing is executed, and no network is needed."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from latex2mathml.converter import convert

ROOT = Path(__file__).resolve().parents[2]


def with_mathml(text: str) -> str:
    """Markdown whose formulas are MathML, which browsers draw by themselves. Code is left alone."""
    parts = re.split(r"(```.*?```|`[^`\n]*`)", text, flags=re.S)
    for k in range(0, len(parts), 2):
        parts[k] = re.sub(r"\$\$(.+?)\$\$", lambda m: convert(m[1].strip(), display="block"), parts[k], flags=re.S)
        parts[k] = re.sub(r"(?<![\\$\w])\$([^$\n]+?)\$(?!\w)", lambda m: convert(m[1]), parts[k])
    return "".join(parts)


def with_pages(text: str) -> str:
    """Markdown whose links to other notebooks and documents lead to their pages of the site."""
    return re.sub(r"\]\((?!\w+:)([^)#\s]+)\.(?:ipynb|md)(?=[)#])", r"](\1.html", text)


def copy_notebook(source: Path, target: Path) -> str:
    """Copy a notebook for the site; returns its title."""
    nb = json.loads(source.read_text(encoding="utf-8"))
    for cell in nb["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = with_pages(with_mathml("".join(cell["source"])))
    nb["cells"] = [c for c in nb["cells"] if "nbdev_export()" not in "".join(c["source"])]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(nb), encoding="utf-8")
    return "".join(nb["cells"][0]["source"]).splitlines()[0].lstrip("# ")


def nav(contents: list, site: Path) -> list:
    """The sidebar as mkdocs' navigation; copies the notebooks that it names."""
    out = []
    for item in contents:
        if isinstance(item, dict):
            out.append({item["section"]: nav(item["contents"], site)})
        else:
            out.append({copy_notebook(ROOT / "nbs" / item, site / "nbs" / item): f"nbs/{item}"})
    return out


def main(out: Path):
    """Write the site."""
    with tempfile.TemporaryDirectory() as tmp:
        site = Path(tmp) / "pages"
        shutil.copytree(ROOT / "docs", site / "docs")
        shutil.copytree(ROOT / "figures", site / "figures", ignore=shutil.ignore_patterns("*.pdf", "*.json", "*.dot"))
        for executed in (ROOT / "docs").rglob("*.ipynb"):
            copy_notebook(executed, site / executed.relative_to(ROOT))
        for name in ("CONTRIBUTING.md", "CHANGELOG.md"):
            shutil.copy(ROOT / name, site)
        shutil.copy(ROOT / "README.md", site / "index.md")
        sidebar = yaml.safe_load((ROOT / "nbs" / "sidebar.yml").read_text(encoding="utf-8"))
        pages = nav(sidebar["website"]["sidebar"]["contents"], site)
        documents = [{p.stem.replace("_", " "): f"docs/{p.name}"} for p in sorted((ROOT / "docs").glob("*.md"))]
        config = dict(
            site_name="OAML",
            docs_dir="pages",
            site_dir=str(out.resolve()),
            use_directory_urls=False,
            theme=dict(name="material", font=False),
            plugins=[{"mkdocs-jupyter": dict(execute=False, include_source=True)}],
            markdown_extensions=["tables", "md_in_html"],
            nav=[{"OAML": "index.md"}, {"Results": documents}, *pages, {"Contributing": "CONTRIBUTING.md"}],
        )
        (Path(tmp) / "mkdocs.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        subprocess.run([sys.executable, "-m", "mkdocs", "build", "--quiet"], cwd=tmp, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
