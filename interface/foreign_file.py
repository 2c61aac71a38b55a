"""Files that people take for an ONNX model: each is known by its first bytes, and has a way to become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file, and what to do about it."""

    name: str
    remedy: str


_EXPORT: Final = "export the model to ONNX"
_BEGINNINGS: Final[tuple[tuple[int, tuple[bytes, ...], str, str], ...]] = (
    # Where, which bytes, the name, the remedy.
    (
        0,
        (b"version https://git-lfs.github.com/spec/",),
        "a Git LFS pointer",
        "fetch what it stands for by git lfs pull",
    ),
    (0, (b"\x1f\x8b",), "compressed by gzip", "unpack it"),
    (0, (b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"), "compressed by bzip2, xz or zstd", "unpack it"),
    (
        0,
        (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
        "a pickle",
        "export it, by skl2onnx or torch.onnx.export",
    ),
    (0, (b"\x89HDF",), "an HDF5 file, as Keras writes it", "export the model by tf2onnx"),
    (0, (b"GGUF",), "a GGUF file", _EXPORT),
    (0, (b"\x93NUMPY",), "a NumPy array", "put the model there"),
    (0, (b"PAR1",), "a Parquet file", "put the model there"),
    (0, (b"Salted__", b"age-encryption.org/", b"-----BEGIN PGP"), "encrypted", "decrypt it"),
    (4, (b"TFL3",), "a TensorFlow Lite model", "convert it by tf2onnx --tflite"),
    (4, (b"ORTM",), "a model in onnxruntime's own format, .ort", "take the .onnx file that it was made from"),
    (4, (b'\0\0\0\0{"',), "a safetensors file, which has weights and no graph", _EXPORT),
)
_ARCHIVES: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"data.pkl", "a PyTorch archive, TorchScript or a checkpoint", "export the model by torch.onnx.export"),
    (b"model.weights.h5", "a Keras archive", 'export the model by model.export("model.onnx", format="onnx")'),
    (b"saved_model.pb", "a zipped TensorFlow SavedModel", "convert its folder by tf2onnx --saved-model"),
)
_HEAD: Final = 1024


def kind_of(data: bytes) -> Kind | None:
    """Return what kind of file the bytes are; None where nothing is known of it."""
    if not data:
        return Kind(name="empty", remedy="put the model there")
    for at, beginnings, name, remedy in _BEGINNINGS:
        if data.startswith(beginnings, at):
            return Kind(name=name, remedy=remedy)
    if data.startswith(b"PK\x03\x04"):
        inside = next(((name, remedy) for member, name, remedy in _ARCHIVES if member in data), None)
        name, remedy = inside or ("a zip file", "unpack the model")
        return Kind(name=name, remedy=remedy)
    if data.startswith(b"\x08\x01\x12") and b"serve" in data:
        return Kind(name="a TensorFlow SavedModel", remedy="convert its folder by tf2onnx --saved-model")
    head = data[:_HEAD]
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return Kind(name="an HTML page", remedy="download the file itself")
    return Kind(name="text", remedy="put the model there") if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    """Return whether the first bytes of a file are printable; the last of them may be half a character."""
    try:
        text = head.decode("utf-8") if len(head) < _HEAD else head[:-4].decode("utf-8", "ignore")
    except UnicodeDecodeError:
        return False
    return text.translate(dict.fromkeys(map(ord, "\t\r\n"))).isprintable() and "\0" not in text
