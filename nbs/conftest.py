"""Every notebook is a test: it runs from top to bottom in a process of its own, slow cells only with OAML_SLOW=1."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def pytest_collect_file(parent, file_path):
    if file_path.suffix == ".ipynb" and not {"experiments", ".ipynb_checkpoints"} & set(file_path.parts):
        return NotebookFile.from_parent(parent, path=file_path)


class NotebookFile(pytest.File):
    def collect(self):
        yield NotebookItem.from_parent(self, name=self.path.stem)


class NotebookItem(pytest.Item):
    def runtest(self):
        command = [str(Path(sys.executable).with_name("nbdev_test")), "--path", str(self.path)]
        slow = bool(os.environ.get("OAML_SLOW"))
        env = (
            os.environ | {"MPLBACKEND": "agg"} | ({} if slow else {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
        )
        result = subprocess.run(
            command + ["--flags", "slow"] * slow, capture_output=True, text=True, env=env, cwd=self.config.rootpath
        )
        if result.returncode:
            raise NotebookFailed((result.stdout + result.stderr)[-6000:])

    def repr_failure(self, excinfo, style=None):
        return str(excinfo.value) if isinstance(excinfo.value, NotebookFailed) else super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, 0, str(self.path.relative_to(self.config.rootpath))


class NotebookFailed(Exception):
    pass
