"""Faults, injected: a workload runs in a child process, one thing goes wrong at a chosen point, the same command runs again.

`python nbs/tests/faults.py --count 100 --seed 0` prints a table, and exits 1 where one failed.
"""

import argparse
import contextlib
import ctypes
import functools
import json
import os
import random
import resource
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch

import oaml.align.curate
import oaml.align.folder
import oaml.files
import oaml.formats.conversion
import oaml.formats.recordio
import oaml.runs.execute
import oaml.runs.identity
import oaml.use.gallery
import oaml.use.recogniser
from oaml.align.mtcnn import Detections
from oaml.cli.commands import Command, call
from oaml.cli.main import COMMANDS
from oaml.config import load_profile
from oaml.runs.plan import RunSpec

sys.path.append(str(Path(__file__).parent))
from toys import photograph, random_recogniser, write_notebook

torch.set_num_threads(1)  # a process that has started threads is not to be forked
cv2.setNumThreads(0)
LIMIT = 120  # seconds for a child

# ---- what runs ----


class StandIn:
    "A detector that sees a face in the middle of every photograph larger than 100 pixels."

    def __init__(self, *_, **__):
        pass

    def detect(self, images):
        eyes = np.array([(88, 102), (162, 102), (125, 145), (95, 185), (155, 185)], np.float32)
        score = 0.9 + sum(int(image.sum()) % 1000 for image in images) / 1e6  # a network's last digits: of all it sees
        one = Detections(np.array([(41, 40, 209, 208)], np.float32), np.array([score]), eyes[None])
        none = Detections(np.zeros((0, 4), np.float32), np.zeros(0), np.zeros((0, 5, 2)))
        return [one if min(image.shape[:2]) > 100 else none for image in images]


@functools.cache
def recogniser():
    "Random weights, the same in every process."
    return random_recogniser()


class Workload(NamedTuple):
    "A command, and what it works on."

    plant: Callable[[Path], None]  # makes root/in, and what is in root/out before
    argv: Callable[[Path], list[str]]
    out: str = "out"  # what is compared, and what faults are done to
    sources: str = "in"  # must stay as it is, bytes and times


def photographs(root: Path):
    "Four people, drawn; one file is broken, two differ in their suffix only, one shows nobody."
    for person in range(4):
        folder = root / "in" / f"person {person}"
        folder.mkdir(parents=True)
        for shot in range(3):
            photograph(person, shot).save(folder / f"{shot}.jpg")
    photograph(1, 5).save(root / "in" / "person 1" / "2.png")
    (root / "in" / "person 2" / "1.jpg").write_bytes(b"\xff\xd8\xff broken")
    photograph(None).resize((50, 50)).save(root / "in" / "person 3" / "1.jpg")


def aligned(root: Path):
    "Photographs, their crops, and some photographs changed since: one broken now, one new, a person with nobody left."
    photographs(root)
    with patched():
        oaml.align.folder.align_folder(root / "in", root / "out", detector=StandIn(), workers=1)
    (root / "in" / "person 0" / "0.jpg").write_bytes(b"")
    photograph(3, 7).save(root / "in" / "person 1" / "1.jpg")
    photograph(2, 8).save(root / "in" / "person 2" / "9.jpg")
    for shot in range(3):
        (root / "in" / "person 3" / f"{shot}.jpg").write_bytes(b"no photograph")


def crops(root: Path):
    "An aligned folder whose photographs are its own: what `curate` moves."
    (root / "in").mkdir()
    photographs(root / "in")
    with patched():
        oaml.align.folder.align_folder(root / "in" / "in", root / "out", detector=StandIn(), workers=1)
    table = oaml.align.curate.read_manifest(root / "out" / "manifest.csv")
    dark = table.name.str.startswith("person 0") | table.name.str.endswith("2.jpg")
    table.loc[dark, "brightness"] = 1.0
    table.to_csv(root / "out" / "manifest.csv", index=False)


def rejected(root: Path):
    "The same after its bad crops were moved away."
    crops(root)
    oaml.align.curate.reject(root / "out", ["light"], apply=True)


def people(root: Path):
    "Photographs, and a folder for the gallery."
    photographs(root)
    (root / "out").mkdir()


def faces(root: Path):
    "Small crops in people's folders."
    for person in range(5):
        folder = root / "in" / "set" / f"person {person}"
        folder.mkdir(parents=True)
        for shot in range(4):
            photograph(person, shot).resize((112, 112)).save(folder / f"{shot}.png")


def records(root: Path):
    "The same as a RecordIO."
    faces(root)
    oaml.formats.conversion.convert(root / "in" / "set", root / "in" / "rec", "recordio")


def pairs(root: Path):
    "Verification pairs as insightface has them."
    import pickle

    from toys import encode

    blobs = [encode(np.asarray(photograph(k // 2, k % 2).resize((112, 112)))) for k in range(12)]
    index = [k for fold in range(2) for k in (0, 1, 2, 3, 4, 6, 5, 8)]
    (root / "in").mkdir()
    (root / "in" / "set.bin").write_bytes(pickle.dumps(([blobs[k] for k in index], [True, True, False, False] * 2), 4))
    (root / "out").mkdir()


TRAIN = """import json, os, pathlib, time
from oaml.files import write_json
folder = pathlib.Path(run_dir); checkpoint = folder / "checkpoint.json"
step, value = json.loads(checkpoint.read_text()) if checkpoint.is_file() else (0, seed + 1)
while step < 8:
    time.sleep(.03); value = (value * 6364136223846793005 + 1442695040888963407) % 2 ** 64; step += 1
    write_json(checkpoint, [step, value])
write_json(folder / "metrics.json", dict(value=value))"""
TABLES = """import json, pathlib
from oaml.files import write_json
values = {name: json.loads(pathlib.Path(folder, "metrics.json").read_text())["value"] for name, folder in needs.items()}
write_json(pathlib.Path(run_dir) / "metrics.json", values)"""


def experiments(root: Path):
    "Two toy experiments, the second made of the first."
    write_notebook(root / "in" / "train.ipynb", TRAIN)
    write_notebook(root / "in" / "tables.ipynb", TABLES)


def reproduce(args: argparse.Namespace) -> int:
    "As `oaml reproduce`, with toys in the place of the experiments."
    config, home = load_profile("smoke"), args.root / "in"
    specs = [RunSpec("train-s0", "train", 0), RunSpec("tables", "tables", needs=("train-s0",))]
    specs = oaml.runs.identity.identify(specs, config, home)
    oaml.runs.execute.execute(specs, config, args.root / "out", notebooks=home, jobs=1)
    return 0


TOY = Command("toys", "run toy experiments", lambda p: p.add_argument("root", type=Path), reproduce)


def to(format: str, source: str = "in/set", target: str = "out") -> Callable[[Path], list[str]]:
    "The command line of a conversion."
    return lambda root: ["convert", root / source, root / target, "--to", format]


WORKLOADS = {
    "align": Workload(photographs, lambda root: ["align", root / "in", root / "out"]),
    "align again": Workload(aligned, lambda root: ["align", root / "in", root / "out"]),
    "curate --apply": Workload(crops, lambda root: ["curate", root / "out", "--filters", "light", "--apply"]),
    "curate --undo": Workload(rejected, lambda root: ["curate", root / "out", "--undo", root / "out" / "undo-001.csv"]),
    "gallery enrol": Workload(people, lambda root: ["gallery", "enrol", root / "in", root / "out" / "people"]),
    "to recordio": Workload(faces, to("recordio")),
    "to webdataset": Workload(faces, to("webdataset")),
    "to folder": Workload(records, to("folder", "in/rec")),
    "to pairs": Workload(pairs, to("pairs", "in/set.bin", "out/set")),
    "to memfile": Workload(pairs, to("memfile", "in/set.bin", "out/set")),
    "reproduce": Workload(experiments, lambda root: ["toys", root]),
}


@contextlib.contextmanager
def patched():
    "Small batches, so that there are many points; stand-ins for what needs weights. Only ever left by the end of a child."
    from unittest.mock import patch

    with (
        patch.object(oaml.align.folder, "BATCH", 3),
        patch.object(oaml.align.folder, "MTCNN", StandIn),
        patch.object(oaml.use.gallery, "MTCNN", StandIn),
        patch.object(oaml.use.gallery, "SAVE_EVERY", 3),
        patch.object(oaml.use.recogniser, "load_recogniser", lambda *_, **__: recogniser()),
        patch.object(oaml.formats.conversion.convert, "__defaults__", (4,)),
    ):
        yield


# ---- where a fault strikes ----


class Points:
    "Counts what a process does to the disk below a folder, and strikes at one of these points."

    def __init__(self, below: Path, at: int | None, strike: Callable[[], None]):
        self.below, self.at, self.strike, self.count, self.busy = str(below), at, strike, 0, threading.Lock()

    def due(self) -> bool:
        "Count a point; is it the one?"
        self.count += 1
        return self.count == self.at

    def hit(self):
        "Do it, once; what it does itself is no point."
        with self.busy:
            self.strike()

    def point(self):
        "One point."
        if not self.busy.locked() and self.due():
            self.hit()

    def heard(self, event: str, args: tuple):
        "An audit hook: what opens to write, makes, renames or removes."
        changes = event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod")
        opens = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if not (changes or opens) or not isinstance(args[0], (str, bytes, os.PathLike)):
            return
        path = os.fsdecode(args[0])
        if path.startswith(self.below) and not path.endswith(".lock"):
            self.point()

    def install(self):
        "From here to the end of this process."
        sys.addaudithook(self.heard)
        fsync, write, append = os.fsync, oaml.files._Part.write, oaml.files.Journal.append
        record, each_image = oaml.formats.recordio.RecordWriter.write, oaml.formats.conversion.each_image

        def torn_write(part, data):  # half of the bytes are there when it strikes
            if self.busy.locked() or not self.due():
                return write(part, data)
            count = write(part, bytes(data)[: len(bytes(data)) // 2])
            self.hit()
            return count

        def torn_append(journal, lines):
            if not self.busy.locked() and self.due():
                data, number = lines.encode("utf-8", "surrogateescape"), journal.file.fileno()
                end = os.fstat(number).st_size
                os.write(number, data[: len(data) // 2])
                self.hit()
                os.ftruncate(number, end)
            append(journal, lines)

        def torn_record(writer, key, payload):
            with contextlib.suppress(OSError):  # the writer will say it
                for file in writer._files:
                    file.flush()
            self.point()
            record(writer, key, payload)

        def images(*args):
            for i in each_image(*args):
                self.point()
                yield i

        os.fsync = lambda number: (self.point(), fsync(number))[1]
        oaml.files._Part.write, oaml.files.Journal.append = torn_write, torn_append
        oaml.formats.recordio.RecordWriter.write = torn_record
        oaml.formats.conversion.each_image = images


def lose_capabilities():
    "Root may do anything; without these two capabilities it is asked for permission as everybody is."
    if os.geteuid():
        return
    libc, number = ctypes.CDLL(None, use_errno=True), os.getpid()
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH; from the bounding set too, for kernels
        libc.prctl(24, capability, 0, 0, 0)
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capget")
    for k in range(3):
        sets[k] &= ~0b110
    if libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), f"capset of {number}")


def remove(folder: Path):
    "Delete a folder, whoever writes into it meanwhile."
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


def set_clock_back(out: Path):
    "Two days: what is asked for the time from now on, and the times of what was written."
    now, now_ns = time.time, time.time_ns
    time.time, time.time_ns = lambda: now() - 172800, lambda: now_ns() - 172800 * 10**9
    for path in out.rglob("*"):
        with contextlib.suppress(OSError):
            found = path.stat()
            os.utime(path, ns=(found.st_atime_ns - 172800 * 10**9, found.st_mtime_ns - 172800 * 10**9))


def limit_files(size: int):
    "No file can grow larger, as on a full disk."
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


class Channel:
    "A child that says that it has come to its point, and waits there."

    def __init__(self):
        self.said, self.say = os.pipe()
        self.told, self.tell = os.pipe()

    def wait(self):
        "In the child."
        os.write(self.say, b"!")
        os.read(self.told, 1)

    def reached(self, child: "Child") -> bool:
        "In the parent: has it come there? False where it ended before."
        while child.code() is None:
            if select.select([self.said], [], [], 0.02)[0]:
                return True
        return bool(select.select([self.said], [], [], 0)[0])

    def go_on(self):
        "In the parent."
        os.write(self.tell, b"!")

    def close(self):
        for number in (self.said, self.say, self.told, self.tell):
            os.close(number)


FAULTS = (
    "kill -9",
    "SIGTERM",
    "Ctrl-C",
    "file limit",
    "full tmpfs",
    "no permission",
    "deleted",
    "two at once",
    "clock back",
)
CODES = {
    "SIGTERM": {143, 0},
    "Ctrl-C": {130, 0},
    "kill -9": {-9, 0},
    "deleted": {1, 2},
    "clock back": {0},
    "two at once": {0},
}


def striker(fault: str, root: Path, work: Workload, rng: random.Random, channel: Channel) -> Callable[[], None]:
    "What is done at the point."
    out, size, mode = root / work.out, rng.choice((0, 100, 3000)), rng.choice((0, 0o500))

    def send(number: int) -> Callable[[], None]:
        return lambda: os.kill(os.getpid(), number)

    return {
        "kill -9": send(signal.SIGKILL),
        "SIGTERM": send(signal.SIGTERM),
        "Ctrl-C": send(signal.SIGINT),
        "file limit": lambda: limit_files(size),
        "full tmpfs": lambda: None,
        "no permission": lambda: out.exists() and out.chmod(mode),
        "deleted": lambda: remove(out),
        "two at once": channel.wait,
        "clock back": lambda: set_clock_back(out),
    }[fault]


class Child:
    "A command in a process of its own."

    def __init__(self, argv: list, prepare: Callable[[], Points | None] = lambda: None):
        self.out, out = os.pipe()
        self.ended = None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            code = 70
            try:
                os.setpgid(0, 0)
                signal.signal(signal.SIGINT, signal.default_int_handler)
                signal.alarm(LIMIT)
                for number in (1, 2):  # pipes: what is said is no file that could grow too large
                    os.dup2(out, number)
                sys.stdout, sys.stderr = (open(os.dup(n), "w", buffering=1) for n in (1, 2))
                points = prepare()
                with patched():
                    code = call((*COMMANDS, TOY), [str(a) for a in argv])
                for thread in threading.enumerate():  # as the interpreter does when it ends
                    if thread is not threading.main_thread() and not thread.daemon:
                        thread.join()
                if points:
                    print(f"POINTS {points.count}", flush=True)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(out)

    def code(self) -> int | None:
        "Exit code, or minus the signal; None while it runs."
        if self.ended is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.ended = os.waitstatus_to_exitcode(status) if pid else None
        return self.ended

    def end(self) -> tuple[int, str]:
        "Wait for it; exit code and what it said."
        said = []
        while self.code() is None or select.select([self.out], [], [], 0)[0]:
            if select.select([self.out], [], [], 0.02)[0]:
                if not (piece := os.read(self.out, 1 << 16)):
                    break
                said.append(piece)
        while self.code() is None:
            time.sleep(0.01)
        os.close(self.out)
        return self.ended, b"".join(said).decode("utf-8", "replace")


# ---- what must hold ----


class Broken(AssertionError):
    "What a fault has shown."


def expect(holds: bool, what: str):
    "Raises Broken."
    if not holds:
        raise Broken(what)


def enrolled(path: Path) -> bytes:
    "What a gallery says, in whatever slabs and lines. Raises ValueError where it is not whole."
    gallery = oaml.use.gallery.Gallery.load(path, recogniser())
    rows = sorted((name, row) for name, row in gallery.enrolled.roll.row.items())
    faces = {
        name: [gallery.enrolled.take(c, np.array([row])).tobytes() for c in oaml.use.recogniser.FaceRecords._fields]
        for name, row in rows
    }
    lines = {name: {k: v for k, v in line.items() if k != "changed"} for name, line in gallery.listed.items()}
    expect(set(faces) <= set(lines), f"{path} has faces of no photograph")
    return repr((sorted(faces.items()), sorted(lines.items()))).encode()


def tree(folder: Path) -> dict:
    "Every name below a folder: None for a folder, mode and bytes of a file. What is time by nature is left out."
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (path.parent / "photographs").is_file():  # a gallery: its journals tell how it came about
            modes = sorted({stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir() if p.name != ".oaml.lock"})
            found[path.parent.relative_to(folder).as_posix()] = modes, enrolled(path.parent)
            continue
        # times of every cell, what a kernel says of its end; a lock that could not be removed
        if path.name in ("out.ipynb", "kernel.log", ".oaml.lock"):
            continue
        if not path.is_dir():
            data = path.read_bytes()
            if path.name == "run.json":  # when it ended and how long it took
                run = {k: v for k, v in json.loads(data).items() if k not in ("seconds", "finished")}
                data = json.dumps(run, sort_keys=True).replace(str(folder), "").encode()  # and where
            found[name] = (stat.S_IMODE(path.stat().st_mode), data)
        else:
            found[name] = None
    return found


def differences(a: dict, b: dict) -> str:
    "Where two trees differ, in a line."
    names = sorted(name for name in a.keys() | b.keys() if a.get(name, 0) != b.get(name, 0))
    told = [
        f"{n} ({'missing' if n not in a else 'too many' if n not in b else 'other content or mode'})" for n in names
    ]
    return ", ".join(told[:6]) + (f" and {len(told) - 6} more" if len(told) > 6 else "")


def times(folder: Path) -> dict:
    "Bytes and time of change of every file."
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


UNFINISHED = (".part", ".tmp", ".lock")
WORKING = ("checkpoint.json", "metrics.json", "run.json")  # of a run: sealed or done again


def check_halves(name: str, out: Path, before: dict, after: dict):
    "After a fault: whatever has the name of something whole is whole, of the state before or after. Raises Broken."
    if not out.is_dir():
        return
    for path in (p for p in sorted(out.rglob("*")) if p.is_file() and not p.name.endswith(UNFINISHED)):
        key, data = path.relative_to(out).as_posix(), path.read_bytes()
        if path.name in ("out.ipynb", "kernel.log", *WORKING) and name == "reproduce":
            run = oaml.files.finished_run(path.parent)
            known = after.get((path.parent / "metrics.json").relative_to(out).as_posix(), (0, b""))[1]
            expect(
                run is None or (path.parent / "metrics.json").read_bytes() == known, f"{key} is sealed, and not right"
            )
        elif name == "gallery enrol":
            if path.name == "journal":
                oaml.use.gallery.Gallery.load(path.parent, recogniser())  # raises where it is not whole
        else:
            known = [side[key][1] for side in (before, after) if side.get(key)]
            expect(data in known, f"{key} has the name of something whole, and is none")
    if name.startswith("curate"):
        both = [sorted(x[1] for n, x in side.items() if n.endswith(".jpg")) for side in (before, tree(out))]
        expect(both[0] == both[1], "a photograph was lost")


def check_said(fault: str, code: int, said: str):
    "One line of what went wrong, and no traceback. Raises Broken."
    lines = [line for line in said.splitlines() if not line.startswith("POINTS ")]
    expect("Traceback" not in said, f"a traceback: {said[-1500:]}")
    told = [line for line in lines if line.startswith("oaml: ")]
    if code in (1, 2, 130, 143):
        expect(len(told) == 1 and lines[-1] == told[0], f"exit {code} says {lines[-4:]}: expected one line")
    if fault in ("file limit", "full tmpfs", "no permission", "deleted") and code:
        expect("/" in told[0] or "FAILED" in told[0], f"no file is named: {told[0]}")


# ---- one trial ----


class Bench:
    "Workloads planted and run once without a fault, to compare with."

    def __init__(self):
        self.home, self.known = Path(tempfile.mkdtemp(prefix="faults-")), {}
        recogniser()

    def close(self):
        shutil.rmtree(self.home, ignore_errors=True)

    def copy(self, name: str, to: Path):
        "A planted workload, with the times of its files."
        shutil.copytree(self.plain(name) / "planted", to, symlinks=True, dirs_exist_ok=True)

    def plain(self, name: str) -> Path:
        "Its folder; planted and run on first use."
        home = self.home / name.replace(" ", "-")
        if not home.exists():
            (home / "planted").mkdir(parents=True)
            WORKLOADS[name].plant(home / "planted")
        return home

    def undisturbed(self, name: str, anew: bool = False) -> tuple[dict, dict, int, float]:
        "Trees before and after, number of points, seconds; anew: of a command that finds nothing where its output goes."
        if (name, anew) not in self.known:
            root, work = self.home / f"undisturbed-{anew}" / name.replace(" ", "-"), WORKLOADS[name]
            self.copy(name, root)
            if anew:
                remove(root / work.out)
            before, start = tree(root / work.out), time.perf_counter()
            points = Points(root / work.out, None, lambda: None)
            code, said = Child(work.argv(root), lambda: (points.install(), points)[1]).end()
            expect(code == 0, f"undisturbed, {name} ends with {code}: {said}")
            count = int(said.rsplit("POINTS ", 1)[1])
            self.known[name, anew] = before, tree(root / work.out), count, time.perf_counter() - start
        return self.known[name, anew]


def not_for(name: str, fault: str) -> str:
    "Why a fault makes no sense for a workload; nothing where it does."
    if fault == "deleted" and name.startswith("curate"):
        return "its output is its source"
    return ""


@contextlib.contextmanager
def small_disk(root: Path, size: int):
    "A tmpfs of some size at root; yields what makes it large."
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "faults", root], capture_output=True).returncode:
        raise PermissionError("this system lets no tmpfs be mounted")
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=256m", root], check=True)
    finally:
        subprocess.run(["umount", "--lazy", root], check=True)


def disturb(bench: Bench, name: str, fault: str, rng: random.Random, root: Path) -> str:
    "Run a workload with one fault. Returns where it struck; raises Broken."
    work, (before, after, count, seconds) = WORKLOADS[name], bench.undisturbed(name)
    at, channel = rng.randint(1, count), Channel()
    by_time = name == "reproduce" and fault in ("kill -9", "SIGTERM", "Ctrl-C") and rng.random() < 0.8
    strike = striker(fault, root, work, rng, channel)

    def prepare() -> Points:
        if fault == "no permission":
            lose_capabilities()
        points = Points(root / work.out, None if by_time else at, strike)
        points.install()
        if by_time:
            timer = threading.Timer(delay, strike)
            timer.daemon = True
            timer.start()
        return points

    delay = rng.uniform(0, seconds)
    child = Child(work.argv(root), prepare)
    try:
        if fault == "two at once" and channel.reached(child):
            second = Child(work.argv(root)) if name != "reproduce" else None
            code, said = second.end() if second else (0, "")
            check_said(fault, code, said)
            refused = code == 2 and "is held by another process: expected to write it alone" in said
            expect(code == 0 or refused, f"the second ends with {code}: {said}")
            channel.go_on()
            if name == "reproduce":
                code, said = Child(work.argv(root)).end()  # waits, or shares the work
                expect(code == 0, f"the second ends with {code}: {said}")
        code, said = child.end()
    finally:
        channel.close()
    where = f"after {delay:.2f} s" if by_time else f"at point {at} of {count}"
    expect(code in CODES.get(fault, {0, 1, 2}), f"{where}: exit {code}: {said[-1500:]}")
    check_said(fault, code, said)
    if (root / work.out).exists():
        (root / work.out).chmod(0o755)
    if code == 0:  # what says that it is done is done
        expect(
            tree(root / work.out) == after, f"{where}: exit 0, and differs: {differences(tree(root / work.out), after)}"
        )
    check_halves(name, root / work.out, before, after)
    return where


def trial(bench: Bench, name: str, fault: str, seed: object) -> str:
    "One workload, one fault, and the same command again. Returns 'done' or 'skipped: …'; raises Broken."
    if why := not_for(name, fault):
        return f"skipped: {fault} for {name}: {why}"
    rng, work, root = random.Random(f"{name} {fault} {seed}"), WORKLOADS[name], Path(tempfile.mkdtemp(dir=bench.home))
    _, after, _, _ = bench.undisturbed(name, fault == "deleted")
    with contextlib.ExitStack() as stack:
        grow = None
        if fault == "full tmpfs":
            held = sum(len(x[0]) + 4096 for x in times(bench.plain(name) / "planted").values()) + (64 << 10)
            room = sum(len(x[1]) + 4096 for x in after.values() if x)
            try:
                grow = stack.enter_context(small_disk(root, held + rng.randint(0, room)))
                bench.copy(name, root)
            except PermissionError as e:
                return f"skipped: {fault}: {e}"
        else:
            bench.copy(name, root)
        sources = times(root / work.sources)
        where = disturb(bench, name, fault, rng, root)
        if grow:
            grow()
        code, said = Child(work.argv(root)).end()
        done = name == "curate --undo" and code == 2 and "no such file" in said  # it was complete, its file renamed
        expect(code == 0 or done, f"{where}: the rerun ends with {code}: {said[-1500:]}")
        found = tree(root / work.out)
        expect(found == after, f"{where}: the rerun differs: {differences(found, after)}")
        expect(times(root / work.sources) == sources, f"{where}: a source has changed")
    shutil.rmtree(root, ignore_errors=True)
    return "done"


def trials(count: int, seed: int) -> list[tuple[str, str, int]]:
    "Pairs of workload and fault in a random order, each as often as any other."
    every = [(name, fault) for name in WORKLOADS for fault in FAULTS if not not_for(name, fault)]
    rng, chosen = random.Random(seed), []
    while len(chosen) < count:
        chosen += rng.sample(every, len(every))
    return [(name, fault, seed + k) for k, (name, fault) in enumerate(chosen[:count])]


def table(done: Counter, failed: Counter) -> str:
    "Workload by fault: how many, and how many of them failed."
    wide = max(map(len, WORKLOADS))
    lines = [" " * wide + "".join(f" {fault:>13}" for fault in FAULTS)]
    for name in WORKLOADS:
        cells = [(done[name, f], failed[name, f]) for f in FAULTS]
        lines.append(f"{name:{wide}}" + "".join(f" {f'{n}' + f' ({bad} bad)' * bool(bad):>13}" for n, bad in cells))
    return "\n".join(lines)


def main() -> int:
    "Some random trials."
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--count", type=int, default=100, help="faults (default: 100)")
    p.add_argument("--seed", type=int, default=0, help="of workloads, faults and points (default: 0)")
    p.add_argument("--out", type=Path, metavar="FILE", help="JSON of the counts")
    p.add_argument("--only", default="", metavar="TEXT", help="only where workload or fault contain this")
    args, done, failed, skipped = p.parse_args(), Counter(), Counter(), Counter()
    bench, start = Bench(), time.perf_counter()
    try:
        for name, fault, seed in trials(args.count, args.seed):
            if args.only not in f"{name} {fault}":
                continue
            try:
                said = trial(bench, name, fault, seed)
                skipped[said] += said != "done"
                done[name, fault] += said == "done"
            except Broken as e:
                done[name, fault] += 1
                failed[name, fault] += 1
                print(f"FAILED {name}, {fault}, seed {seed}: {e}", flush=True)
    finally:
        bench.close()
    for said in filter(skipped.get, skipped):
        print(f"{said} ({skipped[said]} times)")
    print(table(done, failed))
    print("left out: times (seconds and finished of run.json, out.ipynb, kernel.log) and .oaml.lock")
    if args.out:
        rows = [dict(workload=w, fault=f, count=n, failed=failed[w, f]) for (w, f), n in sorted(done.items())]
        left = {said: n for said, n in skipped.items() if n}
        seconds = round(time.perf_counter() - start)
        oaml.files.write_json(args.out, dict(seed=args.seed, seconds=seconds, faults=rows, skipped=left))
    print(f"{sum(done.values())} faults, {sum(failed.values())} failed, in {time.perf_counter() - start:.0f} s")
    return int(bool(failed) or not done)


if __name__ == "__main__":
    sys.exit(main())
