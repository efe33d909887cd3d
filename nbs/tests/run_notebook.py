"""nbdev_test for one notebook that also says which cells were skipped, and why: the first line of theirs that starts with 'skipped: '."""

import signal

from execnb.shell import CaptureShell
from nbdev import test


def say_skipped(cell):
    printed = "".join("".join(out.get("text", "")) for out in cell.get("outputs", []) if out.get("name") == "stdout")
    if said := [line for line in printed.splitlines() if line.startswith("skipped: ")]:
        print(said[0])


class Shell(CaptureShell):
    def run_all(self, nb, **how):
        super().run_all(nb, postproc=say_skipped, **how)


if __name__ == "__main__":
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a job in the background has it ignored, and so have kernels
    test.CaptureShell = Shell
    test.nbdev_test()
