"""nbdev_test for one notebook that also says which cells were skipped, and why: the first line of theirs that starts with 'skipped: '."""

import faulthandler
import multiprocessing
import os
import signal
import sys

WIDELY_USED = [  # by the notebooks; nothing of oaml, whose imports are tested
    "IPython.core.interactiveshell",
    "cv2",
    "execnb.shell",
    "fastcore.test",
    "graphviz",
    "ipywidgets",
    "joblib",
    "lightning_fabric",
    "matplotlib.pyplot",
    "nbdev.test",
    "numpy",
    "pandas",
    "papermill",
    "pydantic",
    "safetensors.torch",
    "scipy.stats",
    "seaborn",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.model_selection",
    "torch",
    "torch.utils.data",
    "tqdm.auto",
    "yaml",
]


def say_skipped(cell):
    printed = "".join("".join(out.get("text", "")) for out in cell.get("outputs", []) if out.get("name") == "stdout")
    if said := [line for line in printed.splitlines() if line.startswith("skipped: ")]:
        print(said[0])


def run(path, flags, said):
    "In a process of its own: run a notebook with flagged cells; what it says goes into a file. Exits with 1 where it fails."
    os.setsid()  # whatever it starts ends with it
    multiprocessing.set_start_method(None, force=True)  # the platform's, as in a notebook
    with open(said, "w") as out:
        for stream in (1, 2):
            os.dup2(out.fileno(), stream)
    sys.stdout, sys.stderr = (os.fdopen(stream, "w", buffering=1) for stream in (1, 2))
    faulthandler.enable()
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a job in the background has it ignored, and so have kernels

    from execnb.shell import CaptureShell
    from nbdev import test

    class Shell(CaptureShell):
        def run_all(self, nb, **how):
            super().run_all(nb, postproc=say_skipped, **how)

    test.CaptureShell = Shell
    test.nbdev_test(path=path, flags=flags)
