"""Every reader of the package: a small valid file or folder for each, and how to read all of it.

What the fuzzer mutates and the property tests vary. All faces are drawn by the program, 24 pixels wide where a reader takes any size.
"""

import csv
import functools
import hashlib
import io
import json
import pickle
import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import cv2
import numpy as np
import onnx
import pandas as pd
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from safetensors.torch import save_file
from scipy.io import savemat
from torch import nn


class Reader(NamedTuple):
    "How to make what a reader reads, and how to read all of it."

    name: str
    build: Callable[[Path], object]  # (folder) writes valid files into it
    read: Callable[[Path, str], object]  # (folder, name of the file that was changed) reads everything
    fresh: bool = False  # reading changes the folder: it is laid anew for every input
    mend: Callable[[Path], object] | None = None  # makes checksums beside a changed file fit again
    unnamed: bool = False  # its errors are put beside the file's name by whoever calls it
    helper: int = 0  # so many processes of its own it may start, Pythons all
    tokens: tuple[bytes, ...] = ()  # words of the format
    only: str = ""  # pattern of the files that are changed; empty: all


READERS: dict[str, Reader] = {}


def reads(build: Callable, **how: object) -> Callable:
    "Enter a function (folder, name) as a reader of what `build` makes."

    def enter(read: Callable) -> Callable:
        READERS[read.__name__] = Reader(read.__name__, build, read, **how)
        return read

    return enter


# Small things to build with


@functools.cache
def face(person: int, shot: int = 0, side: int = 24) -> np.ndarray:
    "A drawn face, uint8 [side,side,3]."
    from oaml.data.drawing import draw_face

    return cv2.resize(draw_face(0, "test", person, shot)[0], (side, side), interpolation=cv2.INTER_AREA)


def put(path: Path, content: bytes | str) -> Path:
    "A file with this content, and the folders above it."
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def encoded(image: np.ndarray | Image.Image, kind: str = "png", **how: object) -> bytes:
    "An image as the bytes of a file."
    out = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(out, kind, **how)
    return out.getvalue()


def picture(person: int = 0, shot: int = 0, side: int = 24, kind: str = "png") -> bytes:
    "A drawn face as the bytes of a file."
    return encoded(face(person, shot, side), kind)


def rows(*lines: object) -> str:
    "Lines of comma-separated fields."
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue()


POINTS = [7.1, 9.2, 16.3, 9.1, 12.0, 13.2, 8.4, 17.5, 15.9, 17.4]
POINT_NAMES = [f"{axis}{k}" for k in range(5) for axis in "xy"]
LATER = b"null [] {} true false NaN Infinity 1e999 -1 0 9223372036854775808".split()


def each(items: object) -> list:
    "All items of a sequence."
    return [items[i] for i in range(len(items))]


# Images


def images(folder: Path):
    "One file of each kind that is read, in every mode that needs a branch of its own."
    rgb = Image.fromarray(face(0))
    exif = Image.Exif()
    exif[0x0112] = 6
    put(folder / "plain.jpg", encoded(rgb, "jpeg"))
    put(folder / "turned.jpeg", encoded(rgb, "jpeg", exif=exif, progressive=True))
    put(folder / "cmyk.jpg", encoded(rgb.convert("CMYK"), "jpeg"))
    put(folder / "plain.png", encoded(rgb))
    put(folder / "palette.png", encoded(rgb.quantize(16), transparency=3))
    put(folder / "clear.png", encoded(rgb.convert("LA")))
    put(folder / "deep.png", encoded(Image.fromarray(np.uint16(face(0)[..., 0]) * 257)))
    put(folder / "plain.bmp", encoded(rgb, "bmp"))
    put(folder / "plain.webp", encoded(rgb, "webp"))
    put(folder / "lossless.webp", encoded(rgb.convert("RGBA"), "webp", lossless=True))
    put(folder / "plain.ppm", encoded(rgb, "ppm"))
    put(folder / "grey.pgm", encoded(rgb.convert("L"), "ppm"))
    put(folder / "packed.tif", encoded(rgb, "tiff", compression="tiff_lzw"))
    put(folder / "plain.tiff", encoded(rgb, "tiff"))
    put(folder / "frames.gif", encoded(rgb.quantize(8), "gif", save_all=True, append_images=[rgb.quantize(4)]))


@reads(images)
def decode(folder: Path, name: str):
    from oaml.data.images import decode_image

    return decode_image(folder / name)


@reads(images)
def small_image(folder: Path, name: str):
    from oaml.data.images import decode_image

    return decode_image(folder / name, 24)


@reads(images, unnamed=True)
def photograph(folder: Path, name: str):
    from oaml.align.folder import read_photograph

    return read_photograph(folder / name)


def pictures(folder: Path):
    "Photographed occluders, in the layout of `oaml data get`."
    from oaml.data.overlay import PICTURES

    whole = Image.fromarray(np.dstack([face(1), face(1)[..., 0]]))
    for name in sorted({name for kinds in PICTURES.values() for name, _ in kinds}):
        put(folder / name, encoded(whole))
    parts = ["surgical", "surgical_blue", "surgical_green", "N95"]
    anchors = "".join(f"mask_{k} = {10 + 2 * i}, {8 + i}\n" for i, k in enumerate("abcdef"))
    put(folder / "masktheface" / "masks.cfg", "".join(f"[{n}]\ntemplate = {n}.png\n{anchors}\n" for n in parts))
    for name in parts:
        put(folder / "masktheface" / f"{name}.png", encoded(whole))


@reads(pictures)
def templates(folder: Path, name: str):
    from oaml.data.overlay import load_templates

    return load_templates(folder)


# Text lists of data sets


def lfw(folder: Path):
    "Photographs with landmarks and pairs: one fold of two genuine and two impostor pairs."
    put(folder / "pairs.txt", "1\t2\nAda\t1\t2\nBob\t1\t2\nAda\t1\tBob\t1\nAda\t2\tBob\t2\n")
    names = [f"{p}/{p}_{k:04d}.jpg" for p in ("Ada", "Bob") for k in (1, 2)]
    put(folder / "landmarks5.csv", rows(["image", *POINT_NAMES], *([n, *POINTS] for n in names)))
    for k, name in enumerate(names):
        put(folder / "images" / name, picture(k // 2, k % 2, kind="jpeg"))


@reads(lfw, only=r"pairs|jpg")
def pairs(folder: Path, name: str):
    from oaml.formats.pairs import FolderPairs, check_disjoint_folds

    found = FolderPairs(folder, size=None)
    check_disjoint_folds(found) if len(set(found.fold.tolist())) > 1 else None
    return each(found)


@reads(lfw)
def photographs(folder: Path, name: str):
    from oaml.data.lfw import Photographs

    found = Photographs(folder)
    return found.landmarks, found.pairs(), [found.covered(k, "block25", None, 0) for k in range(len(found))]


def labelled(folder: Path):
    "A folder with a table of who is shown and what is worn."
    names = [f"{p}{k}.png" for p in ("ada", "bob") for k in (1, 2)]
    lines = [[n, n[:3], ("none", "niqab")[k % 2], ("bare", "worn")[k % 2], *POINTS] for k, n in enumerate(names)]
    put(folder / "labels.csv", rows(["image", "person", "occluder", "group", *POINT_NAMES], *lines))
    for k, n in enumerate(names):
        put(folder / "photographs" / n, picture(k))


@reads(labelled)
def labels(folder: Path, name: str):
    from oaml.benchmarks.folder import LabelledCrops, open_labelled
    from oaml.data.real import pairs_between

    found = open_labelled(folder / "photographs", folder / "labels.csv")
    return each(LabelledCrops(found)), pairs_between(found, "all", "all")


def mfr2(folder: Path):
    "MFR2 in its published layout, with what YuNet found."
    put(folder / "mfr2_labels.txt", "Ada, 1, no-mask\nAda, 2, cloth\nBob, 1, surgical\nBob, 2, no-mask\n")
    put(folder / "pairs.txt", "Ada 1 2\nBob 1 2\nAda 1 Bob 2\nAda 2 Bob 1\n")
    names = [f"{p}/{p}_{k:04d}.png" for p in ("Ada", "Bob") for k in (1, 2)]
    put(folder / "landmarks5_yunet.csv", rows(["file", "score", *POINT_NAMES], *([n, 0.9, *POINTS] for n in names[:3])))
    for k, n in enumerate(names):
        put(folder / n, picture(k))


@reads(mfr2)
def mfr2_lists(folder: Path, name: str):
    from oaml.benchmarks.folder import open_labelled
    from oaml.data.real import mfr2_names, mfr2_pairs

    return mfr2_names(folder / "pairs.txt"), mfr2_pairs(open_labelled(folder, folder / "mfr2_labels.txt"))


def natural(folder: Path):
    "A list of photographs that are occluded as they are."
    hidden = "/".join(["0000000"] * 5 + ["1111111"] * 2)
    lines = [["Ada/Ada_0001.jpg", "hat", hidden], ["Bob/Bob_0002.jpg", "hand", hidden[::-1]]]
    put(folder / "occluded.csv", rows(["name", "occluder", "hidden"], *lines))


@reads(natural)
def natural_list(folder: Path, name: str):
    from oaml.data.real import occluded_lfw

    return occluded_lfw(folder / "occluded.csv").person


def benchmark_lists(folder: Path):
    "CALFW, MLFW, MFR2 and OCFR: two people, a handful of images, the lists that they publish."
    for k, p in enumerate("ABCD"):
        for n in (1, 2):
            stem, data = f"{p}_P_{n:04d}", picture(k, n)
            for place in ("aligned images", "aligned", "C_C", f"{p}_P"):
                put(folder / place / f"{stem}.jpg", data)
    a, b, c, d = ([f"{p}_P_{n:04d}" for n in (1, 2)] for p in "ABCD")
    genuine, impostor = [a, b, c, d], [(a[0], b[0]), (a[1], b[1]), (c[0], d[0]), (c[1], d[1])]
    number = {0: 1, 1: 1, 2: 2, 3: 2}
    listed = [(x, number[k]) for k, x in enumerate(genuine)] + [(x, 0) for x in impostor]
    text = "".join(f"{side}.jpg {n}\n" for x, n in listed for side in x)
    put(folder / "pairs_CALFW.txt", text)
    ten = [(x, n) for _ in range(10) for x, n in listed]
    put(folder / "pairs.txt", "".join(f"{x[0]}.jpg {x[1]}.jpg {int(n > 0)}\n" for x, n in ten))
    put(folder / "C_C_list.txt", "".join(f"{p}_P_{n:04d}.jpg {p}\n" for p in "ABCD" for n in (1, 2)))
    put(folder / "ocfr.txt", "".join(f"{x[0]} {x[1]}\n" for x, _ in ten))
    put(folder / "issame.txt", "".join(f"{int(n > 0)}\n" for _, n in ten))
    mfr = [f"{p}_P 1 2" for p in "ABCD"] * 3 + ["A_P 1 B_P 1", "C_P 2 D_P 2"] * 6
    put(folder / "mfr2" / "pairs.txt", "\n".join(mfr) + "\n")
    for k, p in enumerate("ABCD"):
        for n in (1, 2):
            put(folder / "mfr2" / f"{p}_P" / f"{p}_P_{n:04d}.png", picture(k, n))


@reads(benchmark_lists, only=r"CALFW|aligned images/A")
def calfw(folder: Path, name: str):
    from oaml.benchmarks.pair_lists import read_calfw

    return read_calfw(folder)


@reads(benchmark_lists, only=r"^pairs.txt|aligned/A")
def mlfw(folder: Path, name: str):
    from oaml.benchmarks.pair_lists import read_mlfw

    return read_mlfw(folder, disjoint=False)


@reads(benchmark_lists, only=r"C_C_list|ocfr|issame|C_C/A")
def ocfr(folder: Path, name: str):
    from oaml.benchmarks.pair_lists import read_ocfr

    return read_ocfr(folder, "C_C", pairs="ocfr.txt", disjoint=False)


@reads(benchmark_lists, only=r"mfr2/")
def mfr2_benchmark(folder: Path, name: str):
    from oaml.benchmarks.pair_lists import read_mfr2

    return read_mfr2(folder / "mfr2")


def ijbc(folder: Path):
    "IJB-C's meta folder, three images."
    put(folder / "ijbc_face_tid_mid.txt", "1.jpg 1 10\n2.jpg 2 11\n3.jpg 2 12\n")
    put(folder / "ijbc_name_5pts_score.txt", "".join(f"{k}.jpg {' '.join(map(str, POINTS))} 0.9\n" for k in (1, 2, 3)))
    put(folder / "ijbc_template_pair_label.txt", "1 2 0\n2 2 1\n")
    for key, line in dict(gallery_G1="1,7", gallery_G2="2,8", probe_mixed="2,7").items():
        put(folder / f"ijbc_1N_{key}.csv", f"TEMPLATE_ID,SUBJECT_ID\n{line}\n")


@reads(ijbc)
def ijb_lists(folder: Path, name: str):
    from oaml.benchmarks.templates import read_ijb, template_pairs

    found = read_ijb(folder)
    return found, list(template_pairs(found.pairs))


def ijbs(folder: Path):
    "IJB-S's protocol folder."
    put(
        folder / "cs6_metadata.csv",
        "subject,file\n1,videos/1.mp4\n2,videos/2.mp4\n1,img/101.jpg\n2,img/102.jpg\n1,videos/3.mp4\n",
    )
    for kind, file in (
        ("surveillance_to_single-booking", "videos/1.mp4"),
        ("surveillance_to_surveillance", "videos/2.mp4"),
        ("uav_to_single-booking", "videos/3.mp4"),
    ):
        put(folder / f"cs6_{kind}_probe.csv", f"file\n{file}\n")
    for kind in ("single", "booking", "surveillance"):
        for g in (1, 2):
            put(
                folder / "galleries" / f"cs6_surveillance_to_{kind}_g{g}.csv",
                f"id,subject,file\n0,{g},img/10{g}.jpg\n1,{g},img/20{g}.jpg\n",
            )


@reads(ijbs)
def ijbs_lists(folder: Path, name: str):
    from oaml.benchmarks.templates import read_ijbs

    return read_ijbs(folder)


def objects(items: list) -> np.ndarray:
    "MATLAB's column of cells."
    out = np.empty((len(items), 1), object)
    out[:, 0] = items
    return out


def column(items: list) -> np.ndarray:
    "A column of cells, each of which may be an array."
    out = np.empty((len(items), 1), object)
    for k, item in enumerate(items):
        out[k, 0] = item
    return out


def tinyface(folder: Path):
    "TinyFace's test set: a probe, its match, a distractor."
    for place, name in (("Probe", "p1.jpg"), ("Gallery_Match", "g1.jpg"), ("Gallery_Distractor", "d1.jpg")):
        put(folder / place / name, picture())
    one = np.array([[1]])
    savemat(folder / "probe_img_ID_pairs.mat", dict(probe_set=objects(["p1.jpg"]), probe_ids=one))
    savemat(folder / "gallery_match_img_ID_pairs.mat", dict(gallery_set=objects(["g1.jpg"]), gallery_ids=one))


@reads(tinyface, helper=2, only=r"mat$")
def tinyface_lists(folder: Path, name: str):
    from oaml.benchmarks.templates import read_tinyface

    return read_tinyface(folder, distractors=1)


def wider_truth(folder: Path):
    "WIDER FACE's four files, two photographs."
    extents = [np.array([[1.0, 2, 10, 12]]), np.array([[3.0, 4, 9, 9], [1, 1, 5, 5]])]
    whole = dict(
        event_list=column(["0--Event"]),
        file_list=column([column(["p0", "p1"])]),
        face_bbx_list=column([column(extents)]),
    )
    savemat(folder / "wider_face_val.mat", whole)
    for level in ("easy", "medium", "hard"):
        kept = column([column([np.array([[1]]), np.array([[1], [2]])])])
        savemat(folder / f"wider_{level}_val.mat", dict(gt_list=kept))


@reads(wider_truth, helper=4)
def wider_mats(folder: Path, name: str):
    from oaml.featherface.average_precision import read_wider_truth

    return read_wider_truth(folder)


def wider(folder: Path):
    "Labelled photographs of WIDER FACE, and one in Pascal VOC's form."
    row = " ".join(["3 4 10 12", *(f"{x} {y} 0.0" for x, y in zip(POINTS[::2], POINTS[1::2])), "0.8"])
    put(folder / "label.txt", f"# 0--Event/a.jpg\n{row}\n5 5 6 6\n# 0--Event/b.jpg\n{row}\n")
    for k, n in enumerate("ab"):
        put(folder / "images" / "0--Event" / f"{n}.jpg", picture(k, kind="jpeg"))
    box = "<xmin>3</xmin><ymin>4</ymin><xmax>13</xmax><ymax>16</ymax>"
    put(
        folder / "one.xml",
        "<annotation><folder>0--Event</folder><filename>a.jpg</filename><object><name>face</name>"
        f"<bndbox>{box}</bndbox></object></annotation>",
    )


@reads(wider, only=r"label|jpg")
def wider_labels(folder: Path, name: str):
    from oaml.featherface.wider import Wider

    return each(Wider(folder))


@reads(wider, tokens=(b"<!DOCTYPE a [<!ENTITY b 'cccccccc'>]>", b"&b;", b"<bndbox>", b"]]>", b"<![CDATA["), only=r"xml")
def voc(folder: Path, name: str):
    from oaml.featherface.wider import read_voc

    return read_voc(folder / "one.xml")


# Packed sets


def record_files(folder: Path, names: list[str] | None):
    "A RecordIO training set as insightface lays it out."
    from oaml.formats.recordio import write_faces

    folder.mkdir(parents=True, exist_ok=True)
    write_faces(folder / "train.rec", [0, 0, 1, 1], lambda i: picture(i // 2, i % 2), names, (24, 24))


def recordio(folder: Path):
    "Records whose identities stand in records of their own, and a record with a vector of labels and the magic number."
    from oaml.formats.records import MAGIC, IRHeader, frame, pack

    record_files(folder, None)
    odd = frame(pack(IRHeader(0, [3.0, 4.0], 1, 0), MAGIC * 2 + b"abc"))
    put(folder / "odd.rec", odd)
    put(folder / "odd.idx", "7000000\t0\n")


def recordio_list(folder: Path):
    "The same with names in a list."
    record_files(folder, [f"{p}/{p}_{k}.png" for p in ("ada", "bob") for k in (1, 2)])


@reads(recordio, only=r"idx$")
def record_index(folder: Path, name: str):
    from oaml.formats.records import read_index

    return read_index(folder / "train.idx"), read_index(folder / "odd.idx")


@reads(recordio, tokens=(b"\x0a\x23\xd7\xce",))
def record_items(folder: Path, name: str):
    from oaml.formats.records import RecordFile

    files = [RecordFile(folder / name) for name in ("train.rec", "odd.rec")]
    return [(x.unindexed(), [(x.item(key), x.header(key)) for key in x.keys]) for x in files]


@reads(recordio, tokens=(b"\x0a\x23\xd7\xce",))
def record_faces(folder: Path, name: str):
    from oaml.formats.recordio import RecordIODataset

    found = RecordIODataset(folder, size=None)
    return found.identities, each(found)


@reads(recordio_list)
def record_list(folder: Path, name: str):
    from oaml.formats.conversion import known_names
    from oaml.formats.recordio import RecordIODataset

    found = RecordIODataset(folder, size=None)
    return found.identities, known_names(found), found.name(0)


def half_written(folder: Path):
    "What a writer of records leaves that was killed after the third."
    record_files(folder, None)
    for name in ("train.rec", "train.idx"):
        data = (folder / name).read_bytes()
        put(folder / f"{name}.part", data if name.endswith("rec") else b"".join(data.splitlines(keepends=True)[:3]))
        (folder / name).unlink()
    (folder / "property").unlink()


@reads(half_written, fresh=True)
def record_parts(folder: Path, name: str):
    from oaml.formats.recordio import RecordWriter

    with RecordWriter(folder / "train.rec", resume=True) as out:
        return out.written


def shards(folder: Path):
    "Two tar shards."
    from oaml.formats.shards import write_shard

    folder.mkdir(parents=True, exist_ok=True)
    for k in (0, 1):
        write_shard(folder / f"{k:06d}.tar", [(f"p{k}/a.b_{i}.png", k, picture(k, i)) for i in (0, 1)])


TAR_TOKENS = (b"GNUSparseFile.0", b"GNU.sparse.size=99999999999\n", b"././@LongLink", b"../../x.png", b"\0" * 512)


@reads(shards, tokens=TAR_TOKENS)
def shard_stream(folder: Path, name: str):
    from oaml.formats.shards import TarShards

    return list(TarShards(folder, size=None))


@reads(shards, tokens=TAR_TOKENS)
def shard_faces(folder: Path, name: str):
    from oaml.formats.conversion import ShardFaces, known_names

    found = ShardFaces(folder, size=None)
    return each(found), known_names(found)


def bins(folder: Path):
    "An insightface .bin in the protocols that are about."
    data, same = [picture(k // 2, k % 2) for k in range(4)], [True, False]
    arrays = [np.frombuffer(x, np.uint8) for x in data]
    for name, content, protocol in (
        ("plain.bin", (data, same), 4),
        ("old.bin", (data, same), 2),
        ("text.bin", (data, same), 0),
        ("arrays.bin", (arrays, np.array(same)), 4),
        ("five.bin", (arrays, list(np.array(same))), 5),
    ):
        put(folder / name, pickle.dumps(content, protocol=protocol))


BIN_TOKENS = (
    b"cos\nsystem\n",
    b"cbuiltins\neval\n",
    b"\x8a\xff",
    b"q\xff",
    b"r\xff\xff\xff\x7f",
    b"(l",
    b"2" * 40,
    b"tR",
    b"b.",
)


@reads(bins, tokens=BIN_TOKENS)
def bin_pairs(folder: Path, name: str):
    from oaml.formats.insightface import BinPairs

    return each(BinPairs(folder / name, size=None))


def memfile(folder: Path):
    "A memory-mapped validation set of two pairs, 8 pixels wide."
    scaled = [
        (np.float32(face(k // 2, k % 2, 8)) / np.float32(255) - np.float32(0.5)) / np.float32(0.5) for k in range(4)
    ]
    put(folder / "set" / "memfile" / "mem_file.dat", np.stack(scaled).transpose(0, 3, 1, 2).tobytes())
    put(folder / "set" / "memfile" / "mem_file.dat.conf", json.dumps(dict(dtype="float32", shape=[4, 3, 8, 8])))
    np.save(folder / "set_list.npy", np.array([True, False]))


@reads(memfile, tokens=tuple(LATER))
def memfile_pairs(folder: Path, name: str):
    from oaml.formats.pairs import MemFilePairs

    return each(MemFilePairs(folder / "set", size=None))


def person_folders(folder: Path):
    "Two people, two images each, and a file that is none."
    for k, p in enumerate(("ada", "bob")):
        for i in (1, 2):
            put(folder / p / f"{p}_{i}.{('png', 'jpg')[i % 2]}", picture(k, i, kind=("png", "jpeg")[i % 2]))
    put(folder / "ada" / "notes.txt", "nothing")


@reads(person_folders)
def person_faces(folder: Path, name: str):
    from oaml.formats.check import check
    from oaml.formats.folders import ImageFolderFaces

    return each(ImageFolderFaces(folder, size=None)) and check(folder)


def veiled(folder: Path):
    "Faces with masks."
    for k in (1, 2):
        put(folder / "kept_faces" / f"f{k}.jpg", picture(k, kind="jpeg"))
        put(folder / "masks" / f"f{k}_mask.png", encoded(Image.fromarray(face(k)[..., 0] // 128 * 255)))


@reads(veiled)
def niqab_pairs(folder: Path, name: str):
    from oaml.formats.folders import NiqabPairs

    return each(NiqabPairs(folder, size=None))


@reads(veiled)
def review_items(folder: Path, name: str):
    from oaml.review.items import content_hash, item_pixels, open_items, start_mask

    return [(item_pixels(x), start_mask(x), content_hash(x)) for x in open_items(folder)]


def archives(folder: Path):
    "Archives of a package registry."
    import tarfile
    import zipfile

    folder.mkdir(parents=True, exist_ok=True)
    put(folder / "data.bin", b"weights" * 40)
    with tarfile.open(folder / "a.tar.gz", "w:gz") as tar:
        tar.add(folder / "data.bin", "a/data.bin")
    with zipfile.ZipFile(folder / "a.whl", "w") as wheel:
        wheel.write(folder / "data.bin", "a/data.bin")
    (folder / "data.bin").unlink()


@reads(archives)
def archive_member(folder: Path, name: str):
    from oaml.formats.sources import read_member

    return read_member(folder / name, "a/data.bin")


# Notes of the program's own


def aligned(folder: Path):
    "What `oaml align` leaves: crops, manifest, settings, journal."
    from oaml.align.folder import MANIFEST_COLUMNS

    lines = []
    for k, n in enumerate(("ada/a.png", "bob/b.png", "bob/c.png")):
        put(folder / "images" / n, picture(k))
        known = dict.fromkeys(MANIFEST_COLUMNS, "") | dict(zip(POINT_NAMES, POINTS))
        known |= dict(name=n, status="aligned", image=n, bytes=100, changed="1700000000000000000", height=24, width=24)
        known |= dict(
            faces=1, score=0.99, face=20.0, sharpness=20.5 + k, brightness=90.0, contrast=30.0, saturation=0.4
        )
        known |= dict(colours=90, yaw=1.5, pitch=-3.0, roll=0.1, hash=f"{k:016x}")
        lines.append(known | dict(zip(MANIFEST_COLUMNS[-10:], POINTS)))
    table = rows(MANIFEST_COLUMNS, *([r[c] for c in MANIFEST_COLUMNS] for r in lines))
    put(folder / "journal.csv", table)
    whole = pd.read_csv(io.StringIO(table), dtype=str, keep_default_na=False).assign(duplicate_of="", duplicate=0)
    put(folder / "manifest.csv", whole.to_csv(index=False))
    put(folder / "settings.json", json.dumps(dict(size=112, margin=0.0, detector="default"), indent=1))


@reads(aligned, only=r"manifest|png")
def manifest(folder: Path, name: str):
    from oaml.align.curate import QUALITY_FILTERS, reject
    from oaml.review.items import open_items

    return reject(folder, list(QUALITY_FILTERS)), open_items(folder)


@reads(aligned, only=r"journal")
def journal(folder: Path, name: str):
    from oaml.align.folder import crops_of, read_rows, still_done

    found = read_rows(folder / "journal.csv")
    return [(crops_of(r, folder), still_done(r, folder / "images" / n, folder)) for n, r in found.items()]


@reads(aligned, fresh=True, tokens=tuple(LATER), only=r"settings")
def align_settings(folder: Path, name: str):
    from oaml.align.folder import check_settings

    return check_settings(folder, dict(size=112, margin=0.0, detector="default"))


def moved(folder: Path):
    "A folder after `oaml curate --apply`."
    aligned(folder)
    put(folder / "rejected" / "ada" / "z.png", picture(5))
    put(folder / "undo-001.csv", "images/ada/z.png,rejected/ada/z.png\n")


@reads(moved, fresh=True, tokens=(b"..", b"../../../x.png", b"/etc/passwd", b"images/ada/a.png"), only=r"undo|png")
def undo_file(folder: Path, name: str):
    from oaml.align.curate import undo

    return undo(folder / "undo-001.csv")


JOB = dict(source="a", format="folder", options={})


def notes(folder: Path):
    "The notes of a conversion and of fetched data."
    put(folder / "convert.json", json.dumps(JOB))
    put(folder / "source.json", json.dumps(dict(source="lfw", files=["a.png"], versions={})))


@reads(notes, tokens=tuple(LATER), only=r"convert")
def conversion_note(folder: Path, name: str):
    from oaml.formats.conversion import note_job

    return note_job(folder / "convert.json", folder, JOB)


@reads(notes, tokens=tuple(LATER), only=r"source")
def source_note(folder: Path, name: str):
    from oaml.formats.sources import recorded

    return recorded(folder)


YAML_TOKENS = (
    b"&a ",
    b"*a",
    b"!!python/object/apply:os.system ['true']",
    b"2001-01-01",
    b"1e999",
    b".nan",
    b".inf",
    b"<<: ",
    b"? ",
    b"0o7",
    b"1:30",
    b"!!binary aaaa",
    b"\n  - ",
    b": {",
    b"~",
)


def profiles(folder: Path):
    "Profiles, overrides and parameters."
    from oaml.config import profiles_folder

    for path in sorted(profiles_folder().glob("*.yaml")):
        put(folder / path.name, path.read_bytes())
    put(folder / "set.txt", "optim.lr=0.2\nrun.seeds=[0,1]\nevaluation.occluders=[none,niqab]\nmodel.name=ir_18\n")


@reads(profiles, tokens=YAML_TOKENS, only=r"yaml$")
def profile(folder: Path, name: str):
    from oaml.config import command_text, load_profile

    return command_text(load_profile(str(folder / name))) if name.endswith(".yaml") else None


def given(folder: Path) -> list[str]:
    "What somebody wrote behind an option, an argument each line."
    path = folder / "set.txt"
    return path.read_text("utf-8", "surrogateescape").splitlines() if path.is_file() and not path.is_symlink() else []


@reads(profiles, tokens=YAML_TOKENS, unnamed=True, only=r"set.txt")
def overrides(folder: Path, name: str):
    from oaml.config import load_profile

    return load_profile("smoke", given(folder))


def parameters_notebook(folder: Path):
    "A notebook with parameters of every type, and what is given for them."
    parameters = 'run_dir: str = ""\nconfig: dict = {}\nseed: int = 0\nshare: float = 0.5\nwhole: bool = True\nnames: list = []\ntap: str = ""'
    cell = dict(
        cell_type="code",
        id="a",
        execution_count=None,
        outputs=[],
        source=parameters,
        metadata=dict(tags=["parameters"]),
    )
    meta = dict(kernelspec=dict(name="python3", language="python", display_name="python3"))
    put(folder / "one.ipynb", json.dumps(dict(cells=[cell], metadata=meta, nbformat=4, nbformat_minor=5)))
    put(folder / "set.txt", "seed=3\nshare=0.25\nwhole=false\nnames=[a, b]\nconfig={optim: {lr: 0.1}}\ntap=block3\n")


@reads(parameters_notebook, tokens=YAML_TOKENS, unnamed=True, only=r"set.txt")
def parameters(folder: Path, name: str):
    from oaml.runs.single import parse_parameters

    return parse_parameters(given(folder), folder / "one.ipynb")


def run_folder(folder: Path):
    "A finished run, with its sidecars."
    metrics = put(folder / "a" / "metrics.json", json.dumps(dict(scores={}, seed=0)))
    run = dict(id="a" * 64, name="train-s0", seed=0, parameters=dict(config={}), finished="2026-01-01")
    put(folder / "a" / "run.json", json.dumps(run | dict(metrics_sha256=sha(metrics))))
    np.savez(folder / "a" / "scores.npz", local=np.zeros((2, 2), np.float32), val_local=np.ones(3))


def sha(path: Path) -> str:
    "SHA-256 of a file, hex digits."
    return hashlib.sha256(path.read_bytes()).hexdigest()


def note_hash(note: Path, key: str, path: Path):
    "Write a file's hash into the JSON beside it, where both are there and it is JSON."
    known = json.loads(note.read_bytes())
    known[key] = sha(path)
    note.write_text(json.dumps(known))


@reads(
    run_folder, mend=lambda f: note_hash(f / "a/run.json", "metrics_sha256", f / "a/metrics.json"), tokens=tuple(LATER)
)
def finished(folder: Path, name: str):
    from oaml.files import finished_runs, is_done
    from oaml.runs.single import as_config

    found = finished_runs(folder, "*")
    return [(r["id"], as_config(json.dumps(r.get("parameters")))) for _, r in found], is_done(folder / "a", "a" * 64)


@reads(run_folder, tokens=tuple(LATER))
def outcomes(folder: Path, name: str):
    from oaml.evaluate.comparisons import load_scores, read_outcomes

    found = read_outcomes({"train-s0": str(folder / "a")})
    return load_scores({0: found["train-s0"]})


@functools.cache
def planned_runs() -> dict[str, bytes]:
    "What runs of the photographs' experiment leave, few people: files by name."
    import tempfile

    from toys import photo_outcomes

    with tempfile.TemporaryDirectory() as made:
        photo_outcomes(Path(made), seeds=(0,), people=36)
        return {p.relative_to(made).as_posix(): p.read_bytes() for p in Path(made).rglob("*") if p.is_file()}


def photo_runs(folder: Path):
    "Both halves of the photographs' experiment, and a table of it."
    for name, data in planned_runs().items():
        put(folder / name, data)


@reads(photo_runs, only=r"first.*/(people|lines_global|listed|real|rates|metrics|run)\.")
def photo_results(folder: Path, name: str):
    from oaml.evaluate.comparisons import read_outcomes
    from oaml.evaluate.photo_comparisons import PhotoResults, listed_table

    found = PhotoResults(read_outcomes({f"{h}-0": str(folder / f"toy-{h}-0") for h in ("first", "second")}), "toy")
    return found.lines("first", 0, "global"), found.tables("rates"), listed_table(found)


# Arrays


def extracted(folder: Path):
    "What a network said of five faces."
    from oaml.evaluate.protocol import Extracted, save_extracted

    n, draw = 5, torch.Generator().manual_seed(0)
    parts = [torch.rand(n, *s, generator=draw) for s in ((4,), (3, 2, 2), (1, 2, 2), (1, 2, 2))]
    save_extracted(
        Extracted(*parts, np.array([0, 0, 1, 1, 2]), np.array(["none", "hat"] * 2 + ["none"])), folder / "val.npz"
    )


@reads(extracted)
def extracted_faces(folder: Path, name: str):
    from oaml.evaluate.protocol import load_extracted

    return load_extracted(folder / "val.npz").rows(np.arange(2))


def lines_file(folder: Path):
    "Outcomes of probes."
    from oaml.evaluate.all_pairs import LINE_COLUMNS, save_lines

    table = {c: np.arange(3) for c in LINE_COLUMNS} | dict(probe=["none", "hat", "hat"], gallery=["none"] * 3)
    folder.mkdir(parents=True, exist_ok=True)
    save_lines(folder / "lines.npz", pd.DataFrame(table))


@reads(lines_file)
def lines(folder: Path, name: str):
    from oaml.evaluate.all_pairs import load_lines

    return load_lines(folder / "lines.npz")


def items_file(folder: Path):
    "Kept items of an explorer."
    from oaml.explorers.items import write_items
    from oaml.review.items import array_items

    found = array_items(["a", "b"], [face(0), face(1)])
    found = [x._replace(columns=dict(score=0.5), map=np.full((2, 2), 0.5, np.float32)) for x in found]
    folder.mkdir(parents=True, exist_ok=True)
    write_items(found, folder / "items.npz")


@reads(items_file, tokens=tuple(LATER))
def explorer_items(folder: Path, name: str):
    from oaml.explorers.items import read_items

    return read_items(folder / "items.npz")


@functools.cache
def three_faces():
    "Three synthetic faces that a cache may hold."
    from oaml.data.synthetic import SyntheticFaces

    return SyntheticFaces(1, 3, seed=0, split="train", occluders=("none",))


def cache(folder: Path):
    "A cache of drawn faces with its sidecar."
    from oaml.data.synthetic import draw_into

    folder.mkdir(parents=True, exist_ok=True)
    draw_into(folder / "faces.npy", three_faces(), 0)


@reads(cache, mend=lambda f: note_hash(f / "faces.json", "sha256", f / "faces.npy"), tokens=tuple(LATER))
def drawn_cache(folder: Path, name: str):
    from oaml.data.synthetic import CachedFaces

    return each(CachedFaces(three_faces(), folder / "faces.npy"))


def feature_maps(folder: Path):
    "Feature maps of photographs."
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "faces.npy", np.zeros((2, 3, 2, 2), np.float16))
    np.save(folder / "faces_visible.npy", np.ones((2, 2, 2), np.float32))


@reads(feature_maps)
def kept_features(folder: Path, name: str):
    from oaml.evaluate.photo_models import KeptFeatures

    needs = {f"features-sface-{part}": str(folder) for part in ("none", "extra", "s0")}
    return [np.array(x) for x in KeptFeatures(needs, "sface", 0)("faces")]


# Weights


def small_net() -> nn.Module:
    "A network with every kind of number in its state."
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def weights(folder: Path):
    "Weights in each form that is read."
    folder.mkdir(parents=True, exist_ok=True)
    state = small_net().state_dict()
    save_file(state, folder / "net.safetensors", {"made": "here"})
    torch.save(state, folder / "net.pt")
    torch.save(dict(state_dict=state, epoch=3), folder / "deep.pth")
    torch.save(state, folder / "old.pt", _use_new_zipfile_serialization=False)


HEADER_TOKENS = (
    b'"F64"',
    b'"BF16"',
    b'"BOOL"',
    b'"I64"',
    b'"data_offsets":[0,0]',
    b'"shape":[1000000000000]',
    b'"__metadata__"',
    *LATER,
)


@reads(weights, tokens=HEADER_TOKENS, only=r"safetensors")
def safetensors_weights(folder: Path, name: str):
    from oaml.models.checkpoints import load_weights

    return load_weights(small_net(), folder / "net.safetensors")


@reads(weights, tokens=BIN_TOKENS, only=r"pth?$")
def torch_weights(folder: Path, name: str):
    from oaml.models.checkpoints import fit_state, read_state

    if name.endswith(".safetensors"):
        return None
    net = small_net()
    return fit_state(net, read_state(folder / name), name)


@functools.cache
def some_recogniser():
    "A recogniser with random weights."
    from toys import random_recogniser

    return random_recogniser()


def gallery(folder: Path):
    "A gallery of two faces and a photograph without one."
    from oaml.use.gallery import put_records, writing_gallery

    with writing_gallery(folder, some_recogniser()) as writer:
        records = writer.recogniser.describe([face(k, 0, 112) for k in range(2)])
        put_records(writer.store, writer.recogniser, ["ada.png", "bob.png"], records, ["ada", "bob"])
        lines = [dict(name=f"{p}.png", bytes=9, changed=1, notes="") for p in ("ada", "bob")]
        writer.note([*lines, dict(name="x.png", bytes=1, changed=1, reason="no face")])


def seal_lists(folder: Path):
    "Make the checksum of every line of both journals fit."
    seal_journal(folder)
    seal_journal(folder, "photographs")


@reads(gallery, mend=seal_lists, tokens=tuple(LATER), only="journal|photographs")
def people_gallery(folder: Path, name: str):
    from oaml.use.gallery import Gallery

    found = Gallery.load(folder, some_recogniser())
    return found.table, found.failed, str(found)


def packed(folder: Path):
    "The network that travels with the package, and the note of a matcher."
    from oaml.files import PACKAGE

    for name in ("drawn.json", "drawn.safetensors"):
        put(folder / name, (PACKAGE / "weights" / name).read_bytes())


@reads(packed, tokens=tuple(LATER))
def packed_network(folder: Path, name: str):
    from oaml.use.recogniser import load_packed

    found = load_packed(folder)
    return found.compare(*[found.describe([face(k, 0, 112)]) for k in (0, 1)])


FIT = dict(scores=["global"], mean=[0.5], scale=[0.1], weight=[1.0], intercept=0.0)


def matcher_note(folder: Path):
    "The note of the photographs' matcher, and what stands for its public network: the weights themselves are too large."
    net = put(folder / "net.pt", b"no weights")
    note = dict(
        version=1,
        network="mobilefacenet",
        weights_sha256=sha(net),
        fits=dict.fromkeys(("fused", "global", "local"), FIT),
    )
    put(folder / "matcher.json", json.dumps(note))


@reads(
    matcher_note,
    mend=lambda f: note_hash(f / "matcher.json", "weights_sha256", f / "net.pt"),
    tokens=tuple(LATER),
    only=r"json",
)
def photo_matcher_note(folder: Path, name: str):
    from oaml.use.recogniser import load_photo

    try:
        return load_photo(folder, folder / "net.pt")
    except ValueError as e:
        if "net.pt" not in str(e):  # the weights themselves are too large for a corpus
            raise


def conv_net(path: Path, external: bool = False, scale: float = 1.0):
    "A tiny recogniser with a linear end: 3x8x8 -> 2 maps of 4x4 -> 3 numbers."
    rng = np.random.default_rng(0)
    arrays = dict(
        w=rng.normal(size=(2, 3, 3, 3)) * scale, b=rng.normal(size=2), v=rng.normal(size=(3, 32)), c=rng.normal(size=3)
    )
    held = [numpy_helper.from_array(np.float32(x), n) for n, x in arrays.items()]
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["h"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Flatten", ["r"], ["f"], axis=1),
        helper.make_node("Gemm", ["f", "v", "c"], ["y"], transB=1),
    ]
    kind, dims = TensorProto.FLOAT, dict(x=["n", 3, 8, 8], y=["n", 3])
    x, y = (helper.make_tensor_value_info(n, kind, dims[n]) for n in "xy")
    model = helper.make_model(
        helper.make_graph(nodes, "g", [x], [y], held), opset_imports=[helper.make_opsetid("", 17)]
    )
    model.ir_version = 8
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = dict(save_as_external_data=True, location="weights.bin", size_threshold=0) if external else {}
    onnx.save(model, path, **beside)


def graphs(folder: Path):
    "Networks of others: one file, and one with its weights beside it."
    conv_net(folder / "net.onnx")
    conv_net(folder / "outside" / "net.onnx", external=True)


@reads(graphs)
def onnx_graph(folder: Path, name: str):
    from oaml.models.onnx_file import input_size, read_onnx

    return [(read_onnx(p), input_size(p)) for p in (folder / "net.onnx", folder / "outside" / "net.onnx")]


@reads(graphs, only=r"^net")
def onnx_recogniser(folder: Path, name: str):
    from oaml.models.input_format import FORMATS
    from oaml.models.linear_end import OnnxRecogniser

    return OnnxRecogniser(folder / "net.onnx", FORMATS["rgb, 0 to 255"])


def exported(folder: Path):
    "What `oaml export` writes, with other numbers: embedding, map and share of a face."
    rng = np.random.default_rng(0)
    held = [
        numpy_helper.from_array(np.float32(rng.normal(size=s)), n) for n, s in dict(w=(1, 3, 3, 3), v=(16, 4)).items()
    ]
    nodes = [
        helper.make_node("Conv", ["images", "w"], ["h"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Sigmoid", ["h"], ["occlusion"]),
        helper.make_node("Flatten", ["occlusion"], ["f"], axis=1),
        helper.make_node("MatMul", ["f", "v"], ["e"]),
        helper.make_node("LpNormalization", ["e"], ["embedding"], axis=1),
        helper.make_node("ReduceMean", ["occlusion"], ["visibility"], axes=[1, 2, 3], keepdims=0),
    ]
    dims = dict(images=["n", 3, 8, 8], embedding=["n", 4], occlusion=["n", 1, 4, 4], visibility=["n"])
    x, *out = (helper.make_tensor_value_info(n, TensorProto.FLOAT, d) for n, d in dims.items())
    model = helper.make_model(
        helper.make_graph(nodes, "g", [x], out, held), opset_imports=[helper.make_opsetid("", 17)]
    )
    model.ir_version = 8
    helper.set_model_props(model, dict(colour_order="rgb", input_size="8"))
    put(folder / "own.onnx", model.SerializeToString())


@reads(exported)
def exported_graph(folder: Path, name: str):
    from oaml.use.onnx import OnnxFaces

    found = OnnxFaces(folder / "own.onnx")
    return found(np.zeros((2, *(n if isinstance(n, int) and 0 < n < 99 else 8 for n in found.shape)), np.float32))


def retrofitted(folder: Path):
    "A tiny recogniser, retrofitted."
    from oaml.models.calibrated import Calibration
    from oaml.models.input_format import FORMATS
    from oaml.models.linear_end import OnnxRecogniser
    from oaml.models.occlusion import OcclusionHead
    from oaml.models.retrofit import CleanThresholds, write_retrofit

    conv_net(folder / "plain.onnx")
    net = OnnxRecogniser(folder / "plain.onnx", FORMATS["rgb, 0 to 255"])
    torch.manual_seed(0)
    cells, size, channels = net.end_layer.weight.shape
    head, n = OcclusionHead(channels).eval(), cells * (cells + 1) // 2
    made = Calibration(
        torch.zeros(cells, size), torch.rand(cells, cells), torch.rand(1, n), torch.zeros(cells, cells, size)
    )
    known = CleanThresholds(np.array([1e-2, 1e-3]), np.array([0.3, 0.4]), 1000, 40)
    strangers = dict(strangers=np.array([[0.0, 0.3, 0.01, 0.1, 0.0]]), stranger_scores=np.array([1000]))
    write_retrofit(folder / "new.onnx", net, head, made, 0.3, dict(seed="0"), known, strangers)
    (folder / "plain.onnx").unlink()


def mend_kept(folder: Path):
    "Write the graph's hash into the header of what lies beside it."
    data = (folder / "new.safetensors").read_bytes()
    data = re.sub(rb'"onnx_sha256":"[0-9a-f]{64}"', b'"onnx_sha256":"%s"' % sha(folder / "new.onnx").encode(), data)
    (folder / "new.safetensors").write_bytes(data)


@reads(retrofitted, mend=mend_kept, tokens=HEADER_TOKENS)
def retrofit_files(folder: Path, name: str):
    from oaml.models.retrofit import load_retrofit
    from oaml.use.search import search_strangers

    found = load_retrofit(folder / "new.onnx")
    return (
        found.compare(np.zeros((1, 3, 8, 8), np.float32), np.ones((1, 3, 8, 8), np.float32)),
        found.known,
        found.matcher(),
        search_strangers(found),
    )


def training_state(folder: Path):
    "The state of the detector's training."
    from oaml.featherface.training import Plan

    net = small_net()
    optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    state = dict(net=net.state_dict(), optimizer=optimizer.state_dict(), plan=Plan()._asdict(), history=[dict(step=1)])
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state, folder / "state.pt")


@reads(training_state)
def detector_state(folder: Path, name: str):
    from oaml.featherface.training import Plan, _resume

    net = small_net()
    return _resume(folder / "state.pt", net, torch.optim.SGD(net.parameters(), 0.1, momentum=0.9), Plan())


def state_identity() -> dict:
    return dict(optim=dict(lr=0.1), run=dict(seed=0))


def joint_state(folder: Path):
    "The state of a joint training."
    net = small_net()
    parts = dict(model=net, optimizer=torch.optim.SGD(net.parameters(), 0.1))
    state = {k: v.state_dict() for k, v in parts.items()} | dict(
        precision={}, progress=dict(step=3), identity=state_identity()
    )
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state, folder / "state.pt")


@reads(joint_state)
def learner_state(folder: Path, name: str):
    from oaml.train.learner import read_training_state

    net = small_net()
    nothing = SimpleNamespace(load_state_dict=lambda state: None, state_dict=dict)
    return read_training_state(
        folder / "state.pt", net, torch.optim.SGD(net.parameters(), 0.1), nothing, state_identity()
    )


def trained(folder: Path):
    "What `oaml train` leaves, found as the newest run."
    from toys import training_run

    (folder / "train-s0").mkdir(parents=True)
    training_run(folder / "train-s0")


@reads(
    trained,
    mend=lambda f: note_hash(f / "train-s0/run.json", "metrics_sha256", f / "train-s0/metrics.json"),
    tokens=tuple(LATER),
    only="run.json|matcher|val.npz",
)
def trained_run(folder: Path, name: str):
    from oaml.use.recogniser import load_recogniser

    return load_recogniser(folder)


# A store of many faces

STORE = dict(made=dict(version="x", about="a toy"), columns=dict(number=("|u1", ())))


def face_store(folder: Path):
    "A store of faces that were added, and one that is gone."
    from oaml.use.store import delete_faces, enrol_faces, writing_store

    with writing_store(folder, **STORE) as writer:
        enrol_faces(writer, ["a", "b", "c"], dict(number=np.arange(3, dtype=np.uint8)), ["ada", "bob", "ada"])
        delete_faces(writer, ["b"])
        enrol_faces(writer, ["d"], dict(number=np.uint8([9])), groups=["later"])


def seal_journal(folder: Path, name: str = "journal"):
    "Make the checksum of every line fit."
    from oaml.use.store import seal_line

    lines = (folder / name).read_bytes().splitlines()
    (folder / name).write_text("".join(seal_line(json.loads(line[9:])) for line in lines))


STORE_WORDS = (*LATER, b'"slab":1', b'"delete":["a"]', b'"add":["a"]', b'"people":[1]', b'"layout":1')


@reads(face_store, mend=seal_journal, tokens=STORE_WORDS, only="journal|slab")
def stored_faces(folder: Path, name: str):
    from oaml.use.store import living_rows, open_store

    found = open_store(folder, **STORE)
    return found.take("number", np.flatnonzero(living_rows(found))), list(found.blocks("number")), len(found)


@reads(face_store, fresh=True, mend=seal_journal, tokens=STORE_WORDS, only="journal|slab")
def store_writer(folder: Path, name: str):
    from oaml.use.store import compact_store, enrol_faces, writing_store

    with writing_store(folder, **STORE) as writer:
        enrol_faces(writer, ["new"], dict(number=np.uint8([7])))
        compact_store(writer)


def coded_store(folder: Path):
    "A store of a few faces, and their codes."
    from oaml.use.codes import code_faces, write_codes
    from oaml.use.store import enrol_faces, open_store, writing_store

    rng, columns = np.random.default_rng(0), coded_toys()
    fields = {k: rng.integers(1, 9, (20, *shape)).astype(dtype) for k, (dtype, shape) in columns.items()}
    with writing_store(folder, STORE["made"], columns) as writer:
        enrol_faces(writer, [f"{k}" for k in range(20)], fields)
    if not find_spec("faiss"):  # an extra, and not on macOS: then nobody reads the file
        return (folder / "codes").write_bytes(bytes(99))
    enrolled = open_store(folder, STORE["made"], columns)
    write_codes(folder, enrolled, code_faces(enrolled, torch.eye(2)))


def coded_toys() -> dict:
    "Columns of faces of two numbers, in two regions."
    levels = dict(whole=1, regions=2).items()
    found = {f"{name}_sums": ("|i1", (2 * n,)) for name, n in levels} | dict(rough=("<f4", ()))
    return (
        found
        | {f"{name}_gram": ("<f4", (n * (n + 1) // 2,)) for name, n in levels}
        | {f"{name}_bound": ("<f4", (3,)) for name, n in levels}
    )


@reads(coded_store, tokens=HEADER_TOKENS, only="codes")
def face_codes(folder: Path, name: str):
    from oaml.use.codes import read_codes
    from oaml.use.store import open_store

    found = read_codes(folder, open_store(folder, STORE["made"], coded_toys()), torch.eye(2))
    return found and found.scans["regions"].search(np.ones((1, 4), np.float32), 3)


def measured_bars(folder: Path):
    "A table of bars, as `oaml bench` leaves it."
    from oaml.benchmarks.bars import Bar
    from oaml.cli.bench import write_bars

    machine = dict(cpu="a processor", cores=2, memory_gb=4.0, gpu=[])
    bars = [Bar("score", "all pairs", 1.1, "x", True, 1.15), Bar("score", "none", float("nan"), "x", False, 2.0)]
    folder.mkdir(parents=True, exist_ok=True)
    write_bars(folder, "score", bars, dict(hardware=machine, commit="abc", day="2026-11-26"))


@reads(measured_bars, tokens=tuple(LATER), only=r"bars\.json")
def bars_before(folder: Path, name: str):
    from oaml.cli.bench import kept_bars

    return kept_bars(folder)


# Reviews


def review_log(folder: Path):
    "A log with every action."
    from oaml.review.log import ReviewLog
    from oaml.review.masks import pack_mask
    from oaml.review.state import apply_event, next_event, replay

    log = ReviewLog(folder, "ada")
    state = replay([])
    mask = pack_mask(np.eye(5, dtype=bool), "annotation")
    for action, about in (
        ("accept", {}),
        ("reject", dict(reasons=(1, 3))),
        ("note", dict(after="a scarf")),
        ("mask", dict(after=mask)),
        ("undo", {}),
        ("redo", {}),
    ):
        event = next_event(state, "ada", action, key=("a.png", 1), hash="0" * 64, seconds=1.5, **about)
        log.append(event)
        apply_event(state, event)
    log.close()


@reads(review_log, fresh=True, tokens=tuple(LATER))
def reviews(folder: Path, name: str):
    from oaml.review.log import ReviewLog
    from oaml.review.masks import unpack_mask
    from oaml.review.state import replay

    log = ReviewLog(folder, "ada")
    try:
        state = replay(log.events)
        return [unpack_mask(a.mask) for a in state.answers.values() if a.mask]
    finally:
        log.close()
