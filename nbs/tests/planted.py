"""Tiny networks written down as ONNX text: what the readers of ONNX files are tested with."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import torch
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(tempfile.mkdtemp())
SHAPES = dict(
    stem=(6, 3, 4, 4), fc=(5, 96), fcT=(96, 5), b5=(5,), pool=(6, 1, 4, 4), point=(5, 6, 1, 1), head=(5, 6), big=(9, 96)
)


def drawn_values() -> dict[str, np.ndarray]:
    "Weights by name: of linear layers and convolutions, and of batch norms of 5 and 6 channels; some constants."
    g = torch.Generator().manual_seed(0)
    values = {k: torch.randn(v, generator=g).numpy() / 4 for k, v in SHAPES.items()}
    for n in (5, 6):
        values |= {f"{k}{n}": (torch.rand(n, generator=g) + 0.5).numpy() for k in ("g", "s", "m", "v")}
    numbers = dict(flat=[-1, 96], one=[1, 96], space=[2, 3], i0=0, minus=[-1], rows=[1])
    return values | {k: np.array(v) for k, v in numbers.items()} | dict(wide=np.ones(96, "f"), eps=np.float32(1e-12))


VALUES = drawn_values()
IMAGE, PIXELS, OUT = "float[N,3,16,16] image", "float[N,16,16,3] image", "float[N,5] embedding"
# the map has 6 channels and 4×4 positions
STEM = "c = Conv<strides=[4,4]>(image, stem) map = Relu(c)"
NHWC = (
    "t = Transpose<perm=[0,3,1,2]>(image) c = Conv<strides=[4,4]>(t, stem) r = Relu(c) "
    "u = Transpose<perm=[0,2,3,1]>(r) map = Relu(u)"
)
BN6, BN5 = "g6, s6, m6, v6", "g5, s5, m5, v5"
FLATTEN = (
    f"n = BatchNormalization(map, {BN6}) d = Dropout(n) f = Flatten(d) "
    f"e = Gemm<transB=1>(f, fc, b5) embedding = BatchNormalization(e, {BN5})"
)
DEPTHWISE = (
    f"p = Conv<group=6>(map, pool) n = BatchNormalization(p, {BN6}) "
    f"q = Conv(n, point) o = BatchNormalization(q, {BN5}) embedding = Flatten(o)"
)
AVERAGE = "p = GlobalAveragePool(map) f = Flatten(p) embedding = Gemm<transB=1>(f, head, b5)"
ROWS = "r = Reshape(map, one) embedding = Gemm<transB=1>(r, fc, b5)"
END = "f = Flatten(map) e = Gemm<transB=1>(f, fc, b5) "
UNIT = dict(
    node="embedding = LpNormalization(e)",
    torch="n = ReduceL2<axes=[1]>(e) m = Clip(n, eps) s = Shape(e) b = Expand(m, s) embedding = Div(e, b)",
    tensorflow="q = Mul(e, e) n = ReduceSum(q, rows) m = Max(n, eps) r = Sqrt(m) i = Reciprocal(r) u = Mul(i, e) "
    "embedding = Identity(u)",
)


def planted(
    end: str,  # nodes from `map` to `embedding`
    image: str = IMAGE,
    out: str = OUT,
    stem: str = STEM,  # nodes from `image` to `map`
    opset: int = 17,
    **values: np.ndarray,  # weights besides VALUES
) -> onnx.ModelProto:
    "A network of a stem and an end, with the weights that they name."
    head = f'<ir_version: 8, opset_import: ["": {opset}, "com.microsoft": 1]>'
    model = onnx.parser.parse_model(f"{head} net ({image}) => ({out}) {{ {stem} {end} }}")
    values = VALUES | values
    used = {name for node in model.graph.node for name in node.input} & set(values)
    model.graph.initializer.extend(numpy_helper.from_array(values[k], k) for k in sorted(used))
    return model


def saved(model: onnx.ModelProto, name: str = "net.onnx") -> Path:
    "Its file."
    (FOLDER / name).write_bytes(model.SerializeToString())
    return FOLDER / name


def halved(
    model: onnx.ModelProto,
    images: bool = False,  # in half precision as well
) -> onnx.ModelProto:
    "The same network in half precision."
    model = onnx.ModelProto.FromString(model.SerializeToString())
    for t in model.graph.initializer:
        if t.data_type == TensorProto.FLOAT:
            t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(t).astype(np.float16), t.name))
    if images:
        model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    else:
        next(n for n in model.graph.node if "image" in n.input).input[0] = "half"
        model.graph.node.insert(0, helper.make_node("Cast", ["image"], ["half"], to=TensorProto.FLOAT16))
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    return model


def outside(location: str, length: int = 1920) -> onnx.ModelProto:
    "A network whose linear weights lie in a file."
    model = planted(FLATTEN)
    weights = next(t for t in model.graph.initializer if t.name == "fc")
    onnx.external_data_helper.set_external_data(weights, location, offset=0, length=length)
    weights.ClearField("raw_data")
    return model


def retrofitted(name: str, known=None) -> Path:
    "A planted network, retrofitted with a toy's calibration and a head that nobody trained; its file."
    from oaml.models.calibrated import fit_calibration, random_maps
    from oaml.models.linear_end import OnnxRecogniser
    from oaml.models.occlusion import OcclusionHead
    from oaml.models.retrofit import write_retrofit

    net = OnnxRecogniser(saved(planted(FLATTEN), f"{name}_net.onnx"))
    parts, shift = torch.randn(300, 16, 5), torch.randn(16, 16, 5) / 20
    calibration = fit_calibration(parts, random_maps(100, (4, 4)), shift)
    write_retrofit(FOLDER / f"{name}.onnx", net, OcclusionHead(6).eval(), calibration, 0.3, dict(faces="toys"), known)
    return FOLDER / f"{name}.onnx"
