"""A mutation fuzzer over every reader: each input is a pure function of (reader, seed, number), read in a watched child process.

python nbs/tests/fuzzing.py --inputs 1000000              as many for every reader, fewer for the slowest
python nbs/tests/fuzzing.py --reader pairs --seed 0 --number 7     makes one input again and shows what came of it
"""

import argparse
import functools
import gc
import json
import mmap
import os
import random
import re
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

LIMIT, SPIKE = 2.0, 512 << 20  # seconds and bytes that one input may take
START, HELPER = 3.0, 256 << 20  # and that a process of a reader's own may take to begin, on a busy machine
BAD = ("foreign", "unnamed", "hang", "spike", "crash", "execution")  # outcomes that must not be
OUTCOMES = ("read", "refused", *BAD)

# Mutations of bytes: each takes the bytes, other files of the corpus, words of the format and the random numbers

NUMBERS = [
    0,
    1,
    2,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    65536,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    2**63,
    2**64 - 1,
]
WORDS = (
    b"0 1 -1 2 65536 99999999999 -2147483649 9223372036854775808 1e999 -1e-999 nan inf -inf 0x10 1.5 1e5 null true [] {} ''".split()
    + [
        b'""',
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\0",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\t",
        b"..",
        b"../x",
        b"/",
        b"a" * 300,
        b"\xe2\x80\xa8",
        "é".encode(),
        b"\xe9",
        b"$x$",
        b"{x}",
        b"%2E",
        b"9" * 400,
        b"[" * 2000,
        b'"',
    ]
)
WORD = re.compile(rb'"[^"\n]*"|[\w.+-]+')
NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def at(data: bytes, rng: random.Random) -> int:
    "A place in some bytes, often near the start, where formats have their heads."
    return int(len(data) * rng.random() ** rng.choice((1, 1, 3)))


def stretch(data: bytes, rng: random.Random) -> tuple[int, int]:
    "A short stretch, seldom a long one."
    start = at(data, rng)
    return start, min(len(data), start + int(rng.choice((1, 2, 4, 8, 64, len(data))) * rng.random()) + 1)


def flip(data, others, words, rng):
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if out:
            k = min(at(data, rng), len(out) - 1)
            out[k] = out[k] ^ 1 << rng.randrange(8) if rng.random() < 0.5 else rng.randrange(256)
    return bytes(out)


def insert(data, others, words, rng):
    k = at(data, rng)
    return data[:k] + rng.randbytes(rng.choice((1, 2, 4, 16, 256))) + data[k:]


def delete(data, others, words, rng):
    start, end = stretch(data, rng)
    return data[:start] + data[end:]


def copy(data, others, words, rng):
    start, end = stretch(data, rng)
    block, k = data[start:end] * rng.choice((1, 1, 1, 2, 50)), at(data, rng)
    return data[:k] + block[: 1 << 16] + data[k if rng.random() < 0.5 else k + len(block) :]


def cut(data, others, words, rng):
    return data[: at(data, rng)]


def number(data, others, words, rng):
    size, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
    value = (rng.choice(NUMBERS) + rng.choice((0, 0, -1, 1))) % (1 << 8 * size)
    k = at(data, rng)
    return data[:k] + value.to_bytes(size, order) + data[k + size :]


def splice(data, others, words, rng):
    other = rng.choice(others)
    return data[: at(data, rng)] + other[at(other, rng) :]


def replace(pattern: re.Pattern) -> Callable:
    "A word of the file for another: one of the format's, of the fuzzer's, or of the file itself."

    def change(data, others, words, rng):
        found = list(pattern.finditer(data[: 1 << 16]))
        if not found:
            return insert(data, others, words, rng)
        old = rng.choice(found)
        new = rng.choice(
            (rng.choice(words), rng.choice(WORDS), rng.choice(found)[0], str(rng.choice(NUMBERS)).encode())
        )
        return data[: old.start()] + new + data[old.end() :]

    return change


def token(data, others, words, rng):
    k = at(data, rng)
    return data[:k] + rng.choice((rng.choice(words), rng.choice(WORDS))) + data[k:]


def drop_line(data, others, words, rng):
    lines = data.splitlines(keepends=True) or [b""]
    k = rng.randrange(len(lines))
    lines[k : k + 1] = [] if rng.random() < 0.5 else lines[k : k + 1] * 2
    return b"".join(lines)


MUTATIONS = (
    flip,
    flip,
    insert,
    delete,
    copy,
    cut,
    number,
    number,
    splice,
    replace(WORD),
    replace(WORD),
    replace(NUMBER),
    token,
    drop_line,
)


# Checksums and lengths around what was changed are made to fit again, or no change would come past them


def mend_zip(data: bytes, change: Callable, rng: random.Random) -> bytes:
    "Change a member of a zip, and pack it again."
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        chosen = rng.choice(old.namelist() or [""])
        for info in old.infolist():
            content = old.read(info)
            new.writestr(info.filename, change(content) if info.filename == chosen else content, info.compress_type)
    return out.getvalue()


def mend_png(data: bytes, change: Callable, rng: random.Random) -> bytes:
    "Change a PNG, and make its checksums right."
    data, k = bytearray(change(data)), 8
    while k + 12 <= len(data):
        size = struct.unpack(">I", data[k : k + 4])[0]
        end = k + 8 + size
        data[end : end + 4] = (
            struct.pack(">I", zlib.crc32(data[k + 4 : end])) if end + 4 <= len(data) else data[end : end + 4]
        )
        k = end + 4
    return bytes(data)


def mend_tar(data: bytes, change: Callable, rng: random.Random) -> bytes:
    "Change one header of a tar, and make its checksum right."
    data, heads = bytearray(data), [k for k in range(0, len(data), 512) if data[k + 257 : k + 262] == b"ustar"]
    k = rng.choice(heads)
    head = bytearray((change(bytes(data[k : k + 512])) + bytes(512))[:512])
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    data[k : k + 512] = head
    return bytes(data)


def mend_safetensors(data: bytes, change: Callable, rng: random.Random) -> bytes:
    "Change the header of a safetensors file, and make its length right."
    end = 8 + int.from_bytes(data[:8], "little")
    head = change(data[8:end])
    return len(head).to_bytes(8, "little") + head + data[end:]


MENDS = {"zip": mend_zip, "png": mend_png, "tar": mend_tar, "safetensors": mend_safetensors}


def inside(data: bytes) -> str:
    "Which container some bytes are; empty: none that is mended."
    if data[:2] == b"PK":
        return "zip"
    if data[:4] == b"\x89PNG":
        return "png"
    if data[257:262] == b"ustar":
        return "tar"
    return "safetensors" if data[8:10] == b'{"' else ""


def mutated(data: bytes, others: list[bytes], words: list[bytes], rng: random.Random) -> bytes:
    "Some bytes after one or a few mutations."

    def change(part: bytes) -> bytes:
        for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
            part = rng.choice(MUTATIONS)(part, others, words, rng)
        return part

    kind = inside(data)
    return MENDS[kind](data, change, rng) if kind and rng.random() < 0.6 else change(data)


# An input: files of the corpus, one of them changed


class Corpus(NamedTuple):
    "What a reader reads, in memory."

    files: dict[str, bytes]  # name below the folder: content
    names: list[str]  # of those that are changed; one that counts more stands there more often
    words: list[bytes]


@functools.cache
def corpus_of(reader) -> Corpus:
    "The corpus of a reader, built in a folder of its own."
    with tempfile.TemporaryDirectory() as made:
        reader.build(Path(made))
        files = {p.relative_to(made).as_posix(): p.read_bytes() for p in sorted(Path(made).rglob("*")) if p.is_file()}
    wanted = [n for n in files if re.search(reader.only, n)]
    pictures = (".png", ".jpg")
    only_pictures = all(n.endswith(pictures) for n in wanted)
    names = [n for n in wanted for _ in range(1 if n.endswith(pictures) and not only_pictures else 4)]
    text = b"\n".join(data[:4096] for data in files.values())
    words = sorted({w for w in WORD.findall(text) if 2 < len(w) < 40})[:200]
    return Corpus(files, names, [*reader.tokens] * 10 + words or [b"x"])


def special(path: Path, rng: random.Random) -> str:
    "Put something in the place of a file that is no regular file, or nothing."
    what = rng.choice(("missing", "folder", "fifo", "dead link", "loop", "device", "empty"))
    path.unlink()
    match what:
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "dead link":
            path.symlink_to("nowhere")
        case "loop":
            path.symlink_to(path.name)
        case "device":
            path.symlink_to("/dev/zero")
        case "empty":
            path.touch()
    return what


def lay(files: dict[str, bytes], folder: Path):
    "A folder with these files and nothing else."
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def make_input(reader, corpus: Corpus, seed: int, number: int, folder: Path) -> tuple[str, str]:  # file, what was done
    "Change the folder of a valid corpus into input `number`."
    rng = random.Random(f"{reader.name} {seed} {number}")
    name = rng.choice(corpus.names)
    path, others = folder / name, [d for n, d in corpus.files.items() if n in corpus.names]
    if rng.random() < 0.01:
        return name, special(path, rng)
    data = mutated(corpus.files[name], others, corpus.words, rng)
    path.write_bytes(data)
    mends = reader.mend is not None and rng.random() < 0.7
    if mends:
        try:
            reader.mend(folder)
        except Exception:  # nothing there that a hash could be written into
            mends = False
    return name, f"{len(data)} bytes" + ", mended" * mends


def put_back(reader, corpus: Corpus, name: str, folder: Path):
    "Make the folder valid again."
    path = folder / name
    if reader.fresh or not path.is_file() or path.is_symlink():
        return lay(corpus.files, folder)
    path.write_bytes(corpus.files[name])
    for other in {n for n in corpus.files if n != name} if reader.mend else ():
        (folder / other).write_bytes(corpus.files[other])


# The child: reads one input after another


class Executed(BaseException):
    "What reading may not do; no `except Exception` stops it."


RUNS = {"os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.fork", "os.forkpty", "pty.spawn"}
REACHES = {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "urllib.Request"}
CHANGES = {
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.mkdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "shutil.rmtree",
}
MAKERS = {"collections", "dataclasses"}  # of classes, from code that they write themselves
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def guard(folder: Path, helper: int) -> Callable[[bool], None]:  # switches it on and off
    "Refuse, in this process and from now on, what no reader may do. Cannot be undone: for a child."
    on, root = [False], str(folder)

    def outside(path: object) -> bool:
        if isinstance(path, int) or path is None:
            return False
        return not os.path.abspath(os.fsdecode(path)).startswith((root, "/dev/null"))

    def foreign_code(code: object) -> bool:
        "Code that lies in the folder, or was text a moment ago, and not that of a named tuple."
        if code.co_filename == "<string>":
            return sys._getframe(2).f_globals.get("__name__") not in MAKERS
        return code.co_filename.startswith(root)

    def hook(event: str, args: tuple):
        if not on[0]:
            return
        starts = event == "subprocess.Popen" and not (helper and os.fsdecode(args[0]) == sys.executable)
        brings = event == "ctypes.dlopen" or event == "exec" and foreign_code(args[0])
        writes = event == "open" and isinstance(args[2], int) and args[2] & WRITES and outside(args[0])
        changes = event in CHANGES and any(outside(p) for p in args[: 2 if event in ("os.rename", "os.link") else 1])
        if starts or brings or writes or changes or event in REACHES or (event in RUNS and not helper):
            on[0] = False  # or telling of it would be refused as well
            raise Executed(f"{event}{tuple(map(str, args))}"[:300])

    sys.addaudithook(hook)

    def switch(value: bool):
        on[0] = value

    return switch


def frame_of(e: BaseException) -> str:
    "Where in the package an exception came from, the innermost place."
    places = [f for f in traceback.extract_tb(e.__traceback__) if f"{os.sep}oaml{os.sep}" in f.filename]
    return (
        f"{places[-1].filename.rpartition('oaml/')[2]}:{places[-1].lineno} {places[-1].name}" if places else "outside"
    )


def judge(e: BaseException, name: str, folder: Path, unnamed: bool) -> str:
    "What an exception is: the refusal that a reader promises, or something that must not be."
    if isinstance(e, Executed):
        return "execution"
    if isinstance(e, MemoryError):
        return "spike"
    if not isinstance(e, (ValueError, OSError)):
        return "foreign"
    said = str(e)
    return "refused" if unnamed or str(folder) in said or Path(name).name in said else "unnamed"


def told_of(e: BaseException) -> tuple[str, str, str]:
    "Kind, place and words of an exception."
    return type(e).__name__, frame_of(e), " ".join(str(e).split())[:200]


def write_event(log: int, *what: object):
    "A line of the log that all children write."
    os.write(log, json.dumps(what).encode() + b"\n")


class Child:
    "Reads inputs in the process that it is made in; `board` tells the parent how far it is."

    def __init__(self, reader, corpus: Corpus, folder: Path, board: "Board", log: int):
        self.reader, self.corpus, self.folder, self.board, self.log = reader, corpus, folder, board, log

    def begin(self):
        "Leave the parent's session, bound what may be used, and read the valid corpus."
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        null = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(null, number)
        for what, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 256 << 20)):
            resource.setrlimit(what, (most, most))
        used = int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE
        resource.setrlimit(resource.RLIMIT_AS, (used + (8 << 30),) * 2)  # what asks for more is told so, on any machine
        warnings.simplefilter("ignore")
        lay(self.corpus.files, self.folder)
        os.chdir(self.folder.parent)  # what is relative lands there
        self.switch = guard(self.folder, self.reader.helper)
        for name in dict.fromkeys(self.corpus.names):
            self.reader.read(self.folder, name)
            if self.reader.fresh:
                lay(self.corpus.files, self.folder)
        self.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        self.board.base = self.peak

    def one(
        self, seed: int, number: int
    ) -> tuple[str, list[str]]:  # outcome, and where it is bad what is to be told of it
        "Read one input."
        name, done = make_input(self.reader, self.corpus, seed, number, self.folder)
        outcome, told = "read", []
        try:
            self.switch(True)
            self.reader.read(self.folder, name)
        except BaseException as e:
            self.switch(False)
            outcome = judge(e, name, self.folder, self.reader.unnamed)
            told = [*told_of(e), f"{name}, {done}"] if outcome in BAD else []
        self.switch(False)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        if peak > self.peak + SPIKE:
            outcome, told = "spike", [f"{(peak - self.peak) >> 20} MB", "", "", f"{name}, {done}"]
        put_back(self.reader, self.corpus, name, self.folder)
        return outcome, told

    def run(self, seed: int, start: int, end: int, until: float):
        "Read inputs `start` to `end`, or as many as there is time for."
        gc.freeze()
        self.begin()
        for number in range(start, end):
            now = time.monotonic()
            self.board.number, self.board.started = number, now
            outcome, told = self.one(seed, number)
            self.board.count(outcome)
            if told:
                write_event(self.log, self.reader.name, number, outcome, *told)
            if outcome == "spike" or now > until:
                break
        self.board.number, self.board.started = number + 1, 0.0


class Board:
    "A page of memory that a child writes and its parent reads."

    def __init__(self):
        self.page = mmap.mmap(-1, mmap.PAGESIZE)

    def _slot(k: int) -> property:
        return property(
            lambda self: struct.unpack_from("d", self.page, 8 * k)[0],
            lambda self, value: struct.pack_into("d", self.page, 8 * k, value),
        )

    number, started, base = _slot(0), _slot(1), _slot(2)  # input that is read, since when (0: none), memory before

    def count(self, outcome: str):
        k = 8 * (3 + OUTCOMES.index(outcome))
        struct.pack_into("d", self.page, k, struct.unpack_from("d", self.page, k)[0] + 1)

    def counts(self) -> Counter:
        return Counter(dict(zip(OUTCOMES, map(int, struct.unpack_from(f"{len(OUTCOMES)}d", self.page, 24)))))


# The parent: starts children, watches time and memory, counts


class Work(NamedTuple):
    "Inputs of a reader that are still to be read."

    reader: object
    start: int
    end: int
    seconds: float


def memory(pid: int) -> int:
    "Resident bytes of a process; 0 where it is gone."
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * mmap.PAGESIZE
    except (OSError, IndexError):
        return 0


def busy(pid: int) -> tuple[float, bool]:  # seconds of processor time so far; is it running or ready to?
    "What the system says of a process."
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), fields[0] == "R"
    except (OSError, IndexError):
        return 0.0, False


def helpers(pid: int) -> list[int]:
    "Processes that a child has started, without a fork of it that is not yet another program."
    try:
        own = Path(f"/proc/{pid}/cmdline").read_bytes()
        started = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return [p for p in started if Path(f"/proc/{p}/cmdline").read_bytes() != own]
    except OSError:
        return []


def too_large(pid: int, base: int) -> bool:
    "Has a child, or a helper of it, taken more memory than an input may?"
    return memory(pid) - base > SPIKE or any(memory(p) > HELPER + SPIKE for p in helpers(pid))


class Running:
    "A child at work."

    def __init__(self, work: Work, corpus: Corpus, seed: int, room: Path, log: int):
        self.work, self.board = work, Board()
        self.folder = Path(tempfile.mkdtemp(dir=room))
        self.board.number, self.began = work.start, time.monotonic()
        self.seen, self.ran = -1, 0.0  # input that was seen last, and the processor time before it
        self.pid = os.fork()
        if not self.pid:
            code = 9
            try:
                child = Child(work.reader, corpus, self.folder / work.reader.name, self.board, log)
                child.run(seed, work.start, work.end, time.monotonic() + work.seconds)
                code = 0
            except BaseException as e:  # the harness itself, or a valid corpus that is not read
                write_event(log, work.reader.name, int(self.board.number), "harness", *told_of(e), "")
            finally:
                os._exit(code)

    def end(self, why: str = "") -> tuple[int, str]:  # status of the process, why it was ended
        "Kill it and all that it started."
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        status = os.waitpid(self.pid, 0)[1]
        shutil.rmtree(self.folder, ignore_errors=True)
        return status, why

    def hangs(self, seconds: float) -> bool:  # since the input was begun
        "Has an input taken its time? On a machine that does other things only what the child itself ran or waited counts."
        ran, ready = busy(self.pid)
        if self.board.number != self.seen:
            self.seen, self.ran = self.board.number, ran
        limit = LIMIT + START * self.work.reader.helper
        return seconds > limit and (not ready or ran - self.ran > limit or seconds > 10 * limit)

    def watch(self) -> tuple[int, str] | None:  # status and reason where it has ended; None: it goes on
        "Look after a child."
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid:
            try:
                os.killpg(self.pid, signal.SIGKILL)  # what it started and left
            except ProcessLookupError:
                pass
            shutil.rmtree(self.folder, ignore_errors=True)
            return status, "crash" if os.WIFSIGNALED(status) else ""
        if started := self.board.started:
            if self.hangs(time.monotonic() - started):
                return self.end("hang")
            if too_large(self.pid, self.board.base):
                return self.end("spike")
        elif not self.board.base and time.monotonic() - self.began > 120:  # never begun; what is done ends itself
            return self.end("harness")
        return None


class Fuzz:
    "A run over readers: counts of outcomes, and what was bad."

    def __init__(self, readers: dict[str, object], seed: int = 0, processes: int = 2):
        self.readers, self.seed, self.processes = readers, seed, processes
        self.counts = {name: Counter() for name in readers}
        self.time = Counter()
        self.next = dict.fromkeys(readers, 0)
        self.bad: list[list] = []  # reader, number, outcome; kind, place and words of the exception; what was changed
        self.doubtful: dict[tuple[str, int], str] = {}  # ended by the parent once: tried again, alone

    def settle(self, run: Running, status: int, why: str) -> list[Work]:  # what is left to do
        "Count what a child did before it ended."
        work, number = run.work, int(run.board.number)
        name, left = work.reader.name, []
        self.counts[name] += run.board.counts()
        spent = time.monotonic() - run.began
        self.time[name] += spent
        if why == "hang" and (name, number) not in self.doubtful:  # a busy machine, perhaps
            self.doubtful[name, number] = why
            left.append(Work(work.reader, number, number + 1, 1.0))
            number += 1
        elif why:
            self.counts[name][why if why in OUTCOMES else "crash"] += 1
            by = signal.Signals(os.WTERMSIG(status)).name if why == "crash" else ""
            self.bad.append([name, number, why, by, "", "", self.changed(work.reader, number)])
            number += 1
        elif status:
            raise RuntimeError(f"{name}: the harness failed at {number}: see {self.log_text()[-500:]}")
        rest = work.seconds - spent
        if number < work.end and (rest > 0 or work.seconds == float("inf")):
            left.append(Work(work.reader, number, work.end, rest))
        self.next[name] = max(self.next[name], number)
        return left

    def changed(self, reader, number: int) -> str:
        "Which file an input changes, and how."
        with tempfile.TemporaryDirectory() as folder:
            lay(corpus_of(reader).files, Path(folder) / "a")
            return ", ".join(make_input(reader, corpus_of(reader), self.seed, number, Path(folder) / "a"))

    def log_text(self) -> str:
        return Path(self.log_path).read_text() if Path(self.log_path).exists() else ""

    def run(self, works: list[Work], said: Callable[[str], None] = lambda text: None):
        "Do some works, two children at a time."
        for work in works:
            corpus_of(work.reader)
        shm = Path("/dev/shm")
        with tempfile.TemporaryDirectory(dir=shm if os.access(shm, os.W_OK) else None) as room:
            self.log_path = f"{room}/log"
            log = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            todo, running, told = list(reversed(works)), [], time.monotonic()
            try:
                while todo or running:
                    while todo and len(running) < self.processes:
                        work = todo.pop()
                        running.append(Running(work, corpus_of(work.reader), self.seed, Path(room), log))
                    time.sleep(0.02)
                    for run in running[:]:
                        if ended := run.watch():
                            running.remove(run)
                            todo += reversed(self.settle(run, *ended))
                    if time.monotonic() - told > 30:
                        told = time.monotonic()
                        said(f"{self.total():,} inputs, {len(todo)} works left, {self.wrong()} bad")
            finally:
                for run in running:
                    run.end()
                os.close(log)
                self.bad += [json.loads(line) for line in self.log_text().splitlines()]

    def total(self) -> int:
        return sum(sum(c.values()) for c in self.counts.values())

    def wrong(self) -> int:
        "Outcomes that must not be."
        return sum(c[o] for c in self.counts.values() for o in BAD)

    def rows(self) -> list[dict]:
        "One row for each reader."
        return [dict(reader=n, inputs=sum(c.values())) | {o: c[o] for o in OUTCOMES} for n, c in self.counts.items()]

    def table(self) -> str:
        "The rows as text."
        lines = [f"{'reader':22}{'inputs':>9}" + "".join(f"{o:>10}" for o in OUTCOMES)]
        for r in [
            *self.rows(),
            dict(reader="all", inputs=self.total()) | {o: sum(c[o] for c in self.counts.values()) for o in OUTCOMES},
        ]:
            lines.append(f"{r['reader']:22}{r['inputs']:>9,}" + "".join(f"{r[o]:>10,}" for o in OUTCOMES))
        return "\n".join(lines)

    def distinct(self) -> list[tuple[int, list]]:
        "What was bad: one example of each kind, with how often it came."
        kinds = {}
        for item in self.bad:
            kinds.setdefault((item[0], *item[2:5]), []).append(item)
        return sorted(((len(v), v[0]) for v in kinds.values()), key=lambda x: (x[1][0], -x[0]))

    def findings(self) -> str:
        "The kinds as text."
        return "\n".join(
            f"{count:7} {outcome:9} {name} {number}: {kind} at {place or '?'}: {words} ({changed})"
            for count, (name, number, outcome, kind, place, words, changed) in self.distinct()
        )


def fixed(fuzz: Fuzz, inputs: int) -> list[Work]:
    "As many inputs of every reader; a quarter for those that start processes, which come first."
    readers = sorted(fuzz.readers.values(), key=lambda r: -r.helper)
    return [Work(r, 0, max(1, inputs // 4) if r.helper else inputs, float("inf")) for r in readers]


MOST_SECONDS = 100  # for one reader in a round: a slow one reads fewer inputs


def soak(fuzz: Fuzz, inputs: int, start: int, said: Callable[[str], None]):
    "So many inputs in all: as many of each reader, and what the slow ones left undone by the others."
    fuzz.next = dict.fromkeys(fuzz.readers, start)
    quick, left = list(fuzz.readers), inputs
    while left > 0 and quick:
        share = -(-left // len(quick))
        ends = {n: fuzz.next[n] + share for n in quick}
        said(f"{share:,} inputs for each of {len(quick)} readers")
        most = {n: MOST_SECONDS * (3 if fuzz.readers[n].helper else 1) for n in quick}
        fuzz.run([Work(fuzz.readers[n], fuzz.next[n], end, most[n]) for n, end in ends.items()], said)
        quick, left = [n for n, end in ends.items() if fuzz.next[n] >= end], inputs - fuzz.total()


def tried(
    reader, changes: dict[str, bytes | Callable], folder: Path, mend: bool = False
) -> tuple[str, str]:  # outcome, words
    "Read a valid corpus with some files changed, here: content, or what makes something of the path."
    lay(corpus_of(reader).files, folder)
    for name, change in changes.items():
        if callable(change):
            (folder / name).unlink()
            change(folder / name)
        else:
            (folder / name).write_bytes(change)
    if mend:
        reader.mend(folder)
    name = next(iter(changes))
    try:
        reader.read(folder, name)
        return "read", ""
    except Exception as e:
        return judge(e, name, folder, reader.unnamed), f"{type(e).__name__}: {e}"


def replay(reader, seed: int, number: int, folder: Path) -> str:
    "Make one input again and read it here, in this process."
    corpus = corpus_of(reader)
    lay(corpus.files, folder)
    name, done = make_input(reader, corpus, seed, number, folder)
    print(f"{folder / name}: {done}", flush=True)
    try:
        reader.read(folder, name)
        return "read"
    except BaseException as e:
        traceback.print_exc()
        return judge(e, name, folder, reader.unnamed)


def quiet():
    "Bars, warnings and threads are of no use here."
    os.environ |= dict(TQDM_DISABLE="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    warnings.simplefilter("ignore")


def load() -> dict[str, object]:
    "All readers, their modules imported: children are forked and have them."
    quiet()
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    from readers import READERS

    return READERS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=0, help="in all")
    parser.add_argument("--each", type=int, default=0, help="of every reader, instead")
    parser.add_argument("--reader", action="append", help="only this one; may be given again")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--number", type=int, help="make this input again, and show what comes of it")
    parser.add_argument("--start", type=int, default=0, help="number of the first input, to go on from an earlier run")
    parser.add_argument("--out", type=Path, help="JSON of the counts")
    a = parser.parse_args()
    readers = load()
    chosen = {n: readers[n] for n in a.reader or readers}
    if a.number is not None:
        (reader,) = chosen.values()
        print(replay(reader, a.seed, a.number, Path(tempfile.mkdtemp()) / reader.name))
        return 0
    fuzz, began = Fuzz(chosen, a.seed), time.monotonic()
    say = lambda text: print(f"{time.monotonic() - began:6.0f} s  {text}", flush=True)  # noqa: E731
    fuzz.run(fixed(fuzz, a.each), say) if a.each else soak(fuzz, a.inputs, a.start, say)
    print(fuzz.table())
    print(fuzz.findings())
    if a.out:
        from oaml.files import write_json

        told = dict(seed=a.seed, start=a.start, seconds=round(time.monotonic() - began), readers=fuzz.rows())
        write_json(a.out, told)
    return int(fuzz.wrong() > 0)


if __name__ == "__main__":
    sys.exit(main())
