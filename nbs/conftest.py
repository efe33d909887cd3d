"""Every notebook is a test: it runs from top to bottom in a process of its own, slow cells only with OAML_SLOW=1."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

LIMIT = 900  # seconds for a notebook; the longest takes 6 minutes on two cores


def pytest_collect_file(parent, file_path):
    if file_path.suffix == ".ipynb" and not {"experiments", ".ipynb_checkpoints"} & set(file_path.parts):
        return NotebookFile.from_parent(parent, path=file_path)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: "tests" not in item.path.parts)  # the longest first, or one process waits for them


class NotebookFile(pytest.File):
    def collect(self):
        yield NotebookItem.from_parent(self, name=self.path.stem)


class NotebookItem(pytest.Item):
    def runtest(self):
        command = [str(Path(sys.executable).with_name("nbdev_test")), "--path", str(self.path)]
        slow = bool(os.environ.get("OAML_SLOW"))
        env = (
            os.environ
            | {"MPLBACKEND": "agg", "PYTHONFAULTHANDLER": "1"}
            | ({} if slow else {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
        )
        command += ["--flags", "slow"] * slow
        limit = LIMIT * (4 if slow else 1)
        with tempfile.TemporaryFile("w+") as said:  # a pipe would be waited for until the last grandchild lets go of it
            process = subprocess.Popen(
                command,
                env=env,
                cwd=self.config.rootpath,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(limit)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGABRT)  # faulthandler says where each thread stands
                process.wait()
                code = f"not done after {limit} s"
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            said.seek(0)
            if code:
                raise NotebookFailed(f"{self.path.name}: {code}\n{said.read()[-6000:]}")

    def repr_failure(self, excinfo, style=None):
        return str(excinfo.value) if isinstance(excinfo.value, NotebookFailed) else super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, 0, str(self.path.relative_to(self.config.rootpath))


def pytest_report_teststatus(report, config):
    if report.when == "call":
        return report.outcome, "." if report.passed else "F", f"{report.outcome} {report.duration:.0f} s"


class NotebookFailed(Exception):
    pass
