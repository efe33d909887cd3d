"""Known holes in the locked packages, by pip-audit; and plain words where it could not ask.

    python nbs/tests/audit.py lock.txt                        asks the package index
    python nbs/tests/audit.py lock.txt --advisories FOLDER    asks a copy of the Python advisories (pypa/advisory-database), without a network

Exits 0 where it asked of every package and none is known to be bad, 1 where one is, 2 where it could not ask of all, or asked a copy
that is older than half a year: an audit that skipped is no audit.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


OLDEST = 183  # days


def advisories(folder: Path) -> dict[str, list[dict]]:
    "The advisories of a copy, by package."
    found = {}
    for path in sorted(Path(folder).rglob("*.yaml")):
        known = yaml.load(path.read_text(encoding="utf-8"), yaml.CBaseLoader)  # texts alone: a date is a text too
        if not (isinstance(known, dict) and {"id", "affected"} <= set(known)):
            continue
        for each in known["affected"]:
            found.setdefault(canonicalize_name(each["package"]["name"]), []).append(known)
    if not found:
        raise ValueError(f"{folder} holds no advisories: expected a copy of pypa/advisory-database")
    return found


def in_range(version: Version, events: list[dict]) -> bool:
    "Does a range of an advisory hold a version? Its events are in order: introduced, fixed or last_affected, …"
    inside = False
    for event in events:
        (what, value), *_ = event.items()
        at = Version(value)
        if what == "introduced":
            inside = inside or version >= at
        elif what == "fixed":
            inside = inside and version < at
        elif what == "last_affected":
            inside = inside and version <= at
    return inside


def holes(known: dict[str, list[dict]], name: str, version: str) -> list[dict]:
    "The advisories that hold for a version."
    found = []
    for advisory in known.get(canonicalize_name(name), []):
        for each in advisory["affected"]:
            try:
                ranges = [r["events"] for r in each.get("ranges", []) if r["type"] == "ECOSYSTEM"]
                bad = any(in_range(Version(version), events) for events in ranges)
            except InvalidVersion:
                bad = True  # somebody should look
            if canonicalize_name(each["package"]["name"]) == name and (bad or version in each.get("versions", [])):
                found.append(advisory)
                break
    return found


@contextmanager
def served(known: dict[str, list[dict]]) -> Iterator[str]:  # address
    "Answer pip-audit on loopback as osv.dev would."

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = holes(known, asked["package"]["name"], asked["version"])
            data = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object):
            "Nothing."

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        server.server_close()


def ask(lock: Path, *options: str) -> tuple[list[dict], str]:  # what pip-audit says of each package, its last word
    "Run pip-audit over a lock."
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--disable-pip", "--format", "json"]
    with tempfile.TemporaryDirectory() as cache:
        command += ["--progress-spinner", "off", "--cache-dir", cache]
        done = subprocess.run([*command, *options], capture_output=True, text=True)
    try:
        return json.loads(done.stdout)["dependencies"], ""
    except (ValueError, KeyError):
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["nothing"]
        return [], said[-1]


def locked(lock: Path) -> set[str]:
    "Names of the packages in a lock."
    lines = lock.read_text(encoding="utf-8").splitlines()
    return {
        canonicalize_name(line.partition("==")[0]) for line in lines if "==" in line and not line.startswith((" ", "#"))
    }


def report(found: list[dict], said: str, lock: Path) -> tuple[int, list[str]]:  # exit code, lines
    "What the audit came to."
    asked = [x for x in found if "skip_reason" not in x]
    bad = [(x["name"], x["version"], v) for x in asked for v in x["vulns"]]
    lines = [
        f"{n} {version}: {v['id']}, fixed in {', '.join(v['fix_versions']) or 'no release'}" for n, version, v in bad
    ]
    lines += [f"{x['name']}: not asked, {x['skip_reason']}" for x in found if "skip_reason" in x]
    all_of_them = len(locked(lock))
    unasked = len(found) - len(asked)
    lines.append(
        f"asked of {len(asked)} packages ({all_of_them} are locked, some for other systems); known to be bad: {len(bad)}"
    )
    if said or unasked or not asked:
        lines.append(f"COULD NOT ASK of {unasked or all_of_them}: this is no audit{said and ' (' + said + ')'}")
        return 2, lines
    return int(bool(bad)), lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lock", type=Path)
    parser.add_argument("--advisories", type=Path, help="folder of a copy of pypa/advisory-database")
    a = parser.parse_args()
    if a.advisories:
        known = advisories(a.advisories)
        newest = max(x.get("modified", "") for every in known.values() for x in every)[:10]
        print(f"asked a copy whose newest advisory is of {newest}: nothing later is known to it")
        with served(known) as address:
            found = ask(a.lock, "--vulnerability-service", "osv", "--osv-url", address)
    else:
        found = ask(a.lock)
    code, lines = report(*found, a.lock)
    print("\n".join(lines))
    if a.advisories and (age := (date.today() - date.fromisoformat(newest)).days) > OLDEST:
        print(f"THE COPY IS {age} DAYS OLD: of what was found since, nobody was asked")
        return code or 2
    return code


if __name__ == "__main__":
    sys.exit(main())
