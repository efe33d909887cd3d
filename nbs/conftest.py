"""Every notebook is a test: it runs from top to bottom in a process of its own, slow cells only with OAML_SLOW=1."""

import contextlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent / "tests"))
from run_notebook import WIDELY_USED, run  # noqa: E402

LIMIT = 1800  # seconds for a notebook; the longest takes 5 minutes on two quick cores, 9 on two slow ones

SLOW = bool(os.environ.get("OAML_SLOW"))
os.environ |= {"MPLBACKEND": "agg"} | ({} if SLOW else {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
# A notebook starts as a copy of a process that has imported what most of them want: seconds earlier, and knowing nothing more.
START = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
if sys.platform == "linux":
    START.set_forkserver_preload(WIDELY_USED)


def pytest_collect_file(parent, file_path):
    if file_path.suffix == ".ipynb" and not {"experiments", ".ipynb_checkpoints"} & set(file_path.parts):
        return NotebookFile.from_parent(parent, path=file_path)


def pytest_addoption(parser):
    parser.addoption("--only-data", action="store_true", help="only notebooks that look for real data")


def looks_for_data(path):
    cells = json.loads(path.read_text())["cells"]
    return any("data_root" in "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--only-data"):
        others = [item for item in items if not looks_for_data(item.path)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]
    items.sort(key=lambda item: "tests" not in item.path.parts)  # the longest first, or one process waits for them


class NotebookFile(pytest.File):
    def collect(self):
        yield NotebookItem.from_parent(self, name=self.path.stem)


class NotebookItem(pytest.Item):
    def runtest(self):
        limit = LIMIT * (4 if SLOW else 1)
        with tempfile.NamedTemporaryFile(
            "r"
        ) as said:  # a pipe would be waited for until the last grandchild lets go of it
            process = START.Process(target=run, args=(str(self.path), "slow" * SLOW, said.name))
            process.start()
            try:
                process.join(limit)
                if process.is_alive():
                    os.killpg(process.pid, signal.SIGABRT)  # faulthandler says where each thread stands
                    process.join()
                    code = f"not done after {limit} s"
                else:
                    code = process.exitcode
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            text = said.read()
        self.user_properties += [("skipped", line) for line in text.splitlines() if line.startswith("skipped: ")]
        if code:
            raise NotebookFailed(f"{self.path.name}: {code}\n{text[-6000:]}")

    def repr_failure(self, excinfo, style=None):
        return str(excinfo.value) if isinstance(excinfo.value, NotebookFailed) else super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, 0, str(self.path.relative_to(self.config.rootpath))


def pytest_report_teststatus(report, config):
    if report.when == "call":
        return report.outcome, "." if report.passed else "F", f"{report.outcome} {report.duration:.0f} s"


def pytest_terminal_summary(terminalreporter):
    "How many cells were passed over, where and why."
    done = [
        r for r in terminalreporter.getreports("passed") + terminalreporter.getreports("failed") if r.when == "call"
    ]
    skipped = [(r.location[2], line) for r in done for name, line in r.user_properties if name == "skipped"]
    if not done:
        return
    terminalreporter.section(f"{len(skipped)} cells skipped for want of data or tools", sep="-")
    for where, line in sorted(skipped):
        terminalreporter.write_line(f"{where}: {line.removeprefix('skipped: ')}")


class NotebookFailed(Exception):
    pass
