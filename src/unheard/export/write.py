"""One ONNX file with front end and head inside, and its quantised variant."""

from __future__ import annotations

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

import unheard
from unheard.audio import SAMPLE_RATE
from unheard.errors import InputError
from unheard.files import write_atomically
from unheard.recognizer import Recognizer

try:
    import onnx
    import onnxruntime.quantization
    import onnxscript  # noqa: F401  what torch translates with

    from unheard.export.deviation import largest_deviation, sample_recordings
    from unheard.export.posteriors import Posteriors
except ImportError as missing:
    raise InputError(f"export needs {missing.name}: pip install 'unheard[onnx]'") from missing

OPSET = 18
#: By how much a posterior of the file may differ from the recognizer's.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Exported:
    """A file that was written, its size in bytes, and the largest deviation of a posterior that was measured."""

    path: Path
    size: int
    deviation: float


def export_recognizer(recognizer: Recognizer, out: Path, *, quantize: bool = False) -> list[Exported]:
    """Write a recognizer as ONNX: ``waveform`` [batch, samples] and ``lengths`` [batch] → ``posteriors``.

    ``waveform`` is float32 in ±1 at 16 kHz, ``lengths`` int64 counts its valid samples, ``posteriors`` is
    [batch, emotions]. The file says in its metadata the emotions (``emotions``, a JSON list), the recipe, and what was
    measured. It is written only if it gives what the recognizer gives, to :data:`TOLERANCE`.

    Args:
        recognizer: what to export.
        out: the file to write.
        quantize: write the variant with 8-bit weights too, as ``<name>.int8.onnx`` beside it.

    Returns:
        what was written.

    Raises:
        InputError: the recognizer has a part that is not known to give the same in ONNX.
    """
    module = Posteriors(recognizer.fitted)
    with _quiet():
        model = _traced(module)
        smaller = _quantized(model) if quantize else None
    recordings = sample_recordings()
    written = []
    for path, proto in ((out, model), (out.with_suffix(".int8.onnx"), smaller)):
        if proto is None:
            continue
        _forget_how_it_was_made(proto)
        deviation = largest_deviation(proto.SerializeToString(), recognizer, recordings)
        if proto is model and deviation > TOLERANCE:
            raise InputError(
                f"{recognizer.fitted.recipe.name}: the ONNX file gives posteriors that differ by {deviation:.1g} from "
                "the recognizer's, so it is not written"
            )
        _describe(proto, recognizer, deviation, "int8, dynamic" if proto is smaller else "none")
        data = proto.SerializeToString()
        write_atomically(path, data)
        written.append(Exported(path, len(data), deviation))
    return written


def _traced(module: Posteriors) -> onnx.ModelProto:
    waveform, lengths = torch.zeros(2, 2 * SAMPLE_RATE), torch.tensor([2 * SAMPLE_RATE, SAMPLE_RATE])
    batch, samples = torch.export.Dim("batch", min=1), torch.export.Dim("samples", min=1)
    program = torch.onnx.export(
        module,
        (waveform, lengths),
        dynamo=True,
        input_names=["waveform", "lengths"],
        output_names=["posteriors"],
        dynamic_shapes=({0: batch, 1: samples}, {0: batch}),
        opset_version=OPSET,
        verbose=False,
    )
    assert program is not None
    return program.model_proto


def _quantized(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights of the recurrent and fully connected layers in 8 bits; the front end keeps its precision."""
    scopes = {
        node.name: entry.value
        for node in model.graph.node
        for entry in node.metadata_props
        if entry.key == "pkg.torch.onnx.name_scopes"
    }
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    del plain.graph.value_info[:]  # shapes that quantisation changes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnxruntime.quantization.quantize_dynamic(
            plain,
            path,
            op_types_to_quantize=["LSTM", "MatMul", "Gemm"],
            nodes_to_exclude=[name for name, scope in scopes.items() if "'front_end'" in scope],
            weight_type=onnxruntime.quantization.QuantType.QInt8,
        )
        return onnx.load(path)


def _forget_how_it_was_made(model: onnx.ModelProto) -> None:
    """Take out the lines of source code, with their paths on this machine, that the exporter puts at every node."""
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del part.metadata_props[:]
        part.ClearField("doc_string")


def _describe(model: onnx.ModelProto, recognizer: Recognizer, deviation: float, quantization: str) -> None:
    onnx.helper.set_model_props(
        model,
        {
            "unheard": unheard.__version__,
            "emotions": json.dumps(recognizer.emotions, ensure_ascii=False),
            "sample_rate": str(SAMPLE_RATE),
            "recipe": json.dumps(recognizer.fitted.recipe.to_dict(), ensure_ascii=False),
            "calibration": json.dumps(recognizer.fitted.calibration.to_dict()),
            "trained_on": json.dumps(recognizer.facts, ensure_ascii=False),
            "opset": str(OPSET),
            "quantization": quantization,
            "largest_deviation": f"{deviation:.2g}",
        }
        | ({"tolerance": f"{TOLERANCE:g}"} if quantization == "none" else {}),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of the exporters, which are about their own insides."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
