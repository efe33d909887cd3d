"""Stand-ins that several notebooks test with: experiments that write down what they were given."""

import contextlib
import io
import logging
from pathlib import Path

import nbformat

PARAMETERS = """run_dir: str = ""
config: dict = {}
seed: int = 0
tap: str = "block4"
weighting: str = "masked"
maps: str = "predicted"
switch: str = ""
part: str = ""
needs: dict = {}
cache: str = \"\""""
SAVE = """import json, pathlib
given = dict(seed=seed, tap=tap, weighting=weighting, maps=maps, read=sorted(needs), lr=config["optim"]["lr"], cache=cache)
pathlib.Path(run_dir, "metrics.json").write_text(json.dumps(given))"""
EXPERIMENTS = (
    "train evaluate ablation detector drawn_matcher tables figures featherface paper "
    "photo_features photo_scores photo_tables photo_matcher"
).split()


def write_notebook(path: Path, *sources: str, parameters: str = PARAMETERS) -> Path:
    "A notebook with a parameters cell and a cell for each source."
    new = nbformat.v4.new_code_cell
    cells = [new(parameters, metadata=dict(tags=["parameters"])), *map(new, sources)]
    nb = nbformat.v4.new_notebook(cells=cells)
    nb.metadata["kernelspec"] = dict(name="python3", language="python", display_name="python3")
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, path)
    return path


def toy_experiments(folder: Path, **first: str) -> Path:
    "A folder with all experiments; `first` is run in one of them before it saves what it was given."
    for name in EXPERIMENTS:
        write_notebook(folder / f"{name}.ipynb", *([first[name]] if name in first else []), SAVE)
    return folder


def drawn_recogniser():
    "A random backbone with a head that has looked at drawn faces for a second: its maps show something, its scores do not."
    import torch
    from torch import nn

    from oaml.config import make_config
    from oaml.data.batches import FaceTensors
    from oaml.data.synthetic import SyntheticFaces
    from oaml.evaluate.protocol import extract
    from oaml.train.frozen import train_head
    from oaml.train.joint import JointModel
    from oaml.use.recogniser import JointRecogniser

    torch.manual_seed(0)
    sizes = dict(name="ir_18", tap="block3", width=0.125, stem_stride=2, embedding_size=32)
    model = JointModel(make_config({"model": sizes}), 4)
    for m in model.net.backbone.modules():  # random weights have no statistics yet
        if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
            m.momentum = None
    faces = FaceTensors(SyntheticFaces(20, 4, split="val", occluders=("none", "none", "niqab", "sunglasses")))
    with torch.no_grad():
        model.net.backbone.train()(torch.stack([faces[i, 0]["image"] for i in range(64)]))
    x = extract(model.eval().net, faces)
    head = train_head([x.features.numpy()], [x.true[:, 0].numpy()], epochs=200, lr=0.01, batch=40)
    model.net.occlusion_head.load_state_dict(head.state_dict())
    one = dict(weight=[1.0], intercept=0.0)
    fits = {n: dict(scores=[n], mean=[0.9], scale=[0.1], **one) for n in ("global", "local")}
    return JointRecogniser(model.net, model.matcher, fits | dict(fused=fits["global"]), "a random network", 0)


def said(commands, *argv: str, root: Path | None = None) -> tuple[int, str, str]:
    "Exit code, output and errors of a command line; `root` is written as runs."
    from oaml.cli.commands import call

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = call(commands, [str(a) for a in argv])
        except SystemExit as e:  # argparse's way
            code = e.code
    texts = (text.getvalue() for text in (out, err))
    return code, *(text.replace(str(root), "runs") if root else text for text in texts)


def encode(image, kind="png") -> bytes:
    "An image, uint8 [H,W] or [H,W,C], as the bytes of a file."
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(image).save(out, kind)
    return out.getvalue()


def picture(seed, kind="png") -> bytes:
    "A file of noise, 16x16 pixels."
    import numpy as np

    return encode(np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8), kind)


def plant(root: Path, people: list[str], per_person: int = 3, seed: int = 0) -> Path:
    "An image folder of noise, PNG and JPEG in turn."
    for p in people:
        (root / p).mkdir(parents=True)
        for k in range(per_person):
            form = ("png", "jpeg")[k % 2]
            (root / p / f"{p}_{k:04d}.{form[:4]}").write_bytes(picture([seed, len(p), ord(p[0]), k], form))
    return root


def photograph(person: int | None, shot: int = 0):
    "A drawn head on a drawn wall, 250x250; None: only the wall."
    import cv2
    import numpy as np
    from PIL import Image

    from oaml.data.drawing import draw_face

    wall = cv2.resize(np.random.default_rng(1).integers(90, 170, (3, 4, 3), dtype=np.uint8), (250, 250))
    if person is not None:
        wall[40:208, 41:209] = cv2.resize(draw_face(0, "test", person, shot)[0], (168, 168))
    return Image.fromarray(wall)


def random_recogniser(seed: int = 0):
    "A recogniser with random weights."
    import torch

    from oaml.config import make_config
    from oaml.train.joint import JointModel
    from oaml.use.recogniser import JointRecogniser

    torch.manual_seed(seed)
    sizes = dict(name="ir_18", tap="block3", width=0.125, stem_stride=2, embedding_size=32)
    model = JointModel(make_config({"model": sizes}), 4)
    one = dict(mean=[0.9], scale=[0.1], weight=[1.0], intercept=0.0)
    fits = {n: dict(scores=[n]) | one for n in ("global", "local")}
    both = dict(mean=[0.9, 0.0], scale=[0.1, 1.0], weight=[1.0, 1.0], intercept=0.0)
    fused = dict(scores=["global", "local"]) | both
    return JointRecogniser(model.net, model.matcher, fits | dict(fused=fused), f"a random network, seed {seed}", seed)


@contextlib.contextmanager
def notes():
    "What the package notes, as text."
    out, logger = io.StringIO(), logging.getLogger("oaml")
    handler, level = logging.StreamHandler(out), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield out
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def help_of(options) -> str:
    "What --help says of the options that a function adds."
    import argparse

    p = argparse.ArgumentParser(prog="oaml", add_help=False)
    options(p)
    return p.format_help()


def planted_scorer(person, rng, seen: bool):
    "Scores of a toy recogniser: what is covered says less of a person, and the calibrated score most of what is left."
    import numpy as np

    gains = {"global": 1.0, "centred": 1.05, "adapted": 1.3 if seen else 1.1, "all_blind": 1.2}
    gains |= {"global_coverage": 1.1, "common": 2.0, "calibrated": 2.2, "fused": 2.2, "calibrated_exact": 2.4}
    own, noise = person[:, None] == person, rng.normal(size=(len(person),) * 2)

    def score(fold, probe, gallery):
        clean, both = probe.kind in ("none", "clean"), gallery.kind != "none"
        at = np.ix_(probe.rows, gallery.rows)
        out = {}
        for name, gain in gains.items():
            spread = 1.0 if clean or name not in ("common", "global") else 1.5 + both
            out[name] = spread * noise[at] + (4.0 if clean else gain) * own[at]
        return out

    return score


def photo_outcomes(folder: Path, network: str = "toy", seeds: tuple = (0, 1, 2), people: int = 90) -> dict:
    "Runs of `photo_scores` in a toy world: two occluders, each seen by one half; name -> outcome."
    import json

    import numpy as np
    import pandas as pd

    from oaml.evaluate.all_pairs import all_pairs, save_lines
    from oaml.evaluate.comparisons import read_outcomes

    halves, person = dict(first=["niqab"], second=["surgical"]), np.repeat(np.arange(people), 4)
    fold, rows, needs = person % 3, np.arange(0, len(person), 2), {}
    kinds = [*halves["first"], *halves["second"]]
    arrangements = [("clean", "none"), *((k, "none") for k in kinds), *((k, k) for k in kinds)]
    for seed in seeds:
        for half, seen in halves.items():
            rng, place = np.random.default_rng([seed, half == "first"]), folder / f"{network}-{half}-{seed}"
            place.mkdir(parents=True)
            score = planted_scorer(person, rng, half == "first")
            judged = all_pairs(
                score, person, fold, arrangements, rows=dict.fromkeys(("clean", *kinds), rows), fars=(1e-2, 1e-3)
            )
            for name, x in judged.items():
                save_lines(place / f"lines_{name}.npz", x.lines)
            save_lines(place / "lines_best_blind.npz", judged["adapted"].lines)
            for name in ("global", "all_blind", "common", "calibrated", "fused"):
                x = judged[name].lines
                save_lines(place / f"natural_{name}.npz", x[(x.probe == "niqab") & (x.gallery == "none")])
            agreement = [
                dict(occluder=k, measure="iou", value=0.5, low=0.4, high=0.6, photographs=9) for k in ("all", "hat")
            ]
            pd.DataFrame(agreement).to_csv(place / "natural_maps.csv", index=False)
            for name in ("rates", "det"):
                table = pd.concat([getattr(x, name).assign(score=n) for n, x in judged.items()])
                table.to_csv(place / f"{name}.csv", index=False)
            pieces = pd.concat([judged["calibrated"].rates.assign(score=n) for n in ("cut", "cut_d", "calibrated")])
            pieces.to_csv(place / "ablation.csv", index=False)
            best = [dict(fold=f, probe=k, gallery="none", score="adapted", tar=0.5) for f in range(3) for k in kinds]
            pd.DataFrame(best).to_csv(place / "best.csv", index=False)
            same, listed = np.arange(200) % 2 == 0, {}
            for kind, gallery in [("none", "none"), *arrangements[1:]]:
                for name, gain in dict(**{"global": 1.0}, calibrated=2.0).items():
                    listed[f"{kind}/{gallery}/{name}"] = rng.normal(size=200) + gain * same
            np.savez(place / "listed.npz", same=same, fold=np.arange(200) // 20, **listed)
            np.savez(place / "real.npz")
            np.savez(place / "people.npz", person=person, fold=fold)
            quality = {k: dict(mae=0.05, iou=0.9) for k in ("none", *kinds)}
            metrics = dict(
                network=network, half=half, seen=seen, kinds=kinds, photographs=len(person), covered=len(rows)
            )
            metrics |= dict(people=people, floors={0: 0.3, 1: 0.15, 2: 0.3}, maps=quality, rank=50)
            metrics["spread"] = {f: [1 - 0.1 * k for k in range(7)] for f in (0.15, 0.3)}
            run = dict(id=f"{seed}{half}" * 3, seed=seed, seconds=1.0, commit="c0ffee", config_hash="abc", versions={})
            run |= dict(hardware={}, parameters=dict(config={}))
            for name, values in dict(metrics=metrics, run=run).items():
                (place / f"{name}.json").write_text(json.dumps(values))
            needs[f"scores-{network}-{half}-s{seed}"] = str(place)
    return read_outcomes(needs)


def training_run(folder: Path, tap: str = "block4") -> Path:
    "What `oaml train` leaves, of a small network with random weights."
    import json

    import torch

    from oaml.config import make_config, to_dict
    from oaml.data.batches import FaceTensors
    from oaml.data.synthetic import SyntheticFaces
    from oaml.evaluate.protocol import extract, save_extracted
    from oaml.files import sha256
    from oaml.models.checkpoints import save_weights
    from oaml.train.joint import JointModel

    torch.manual_seed(0)
    config = make_config({"model": dict(name="ir_18", tap=tap, width=0.125, stem_stride=2, embedding_size=32)})
    model = JointModel(config, 4).eval()
    val = FaceTensors(SyntheticFaces(4, 4, split="val", occluders=("none", "none", "niqab", "sunglasses")))
    save_weights(model, folder / "weights.safetensors")
    save_weights(model.matcher, folder / "matcher.safetensors")
    save_extracted(extract(model.net, val), folder / "extracted" / "val.npz")
    (folder / "metrics.json").write_text("{}")
    chosen = dict(config=to_dict(config), tap=tap, weighting="masked", switch="")
    run = dict(id="0", name="train-s0", seed=0, parameters=chosen, metrics_sha256=sha256(folder / "metrics.json"))
    (folder / "run.json").write_text(json.dumps(run))
    return folder
