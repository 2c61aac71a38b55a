"""Call onnxruntime's C library directly: the functions of its table, and handles that release themselves.

Neither onnxruntime's Python package nor numpy is imported; docs/decisions/0011 says why. All
functions and their parameters: https://onnxruntime.ai/docs/api/c/struct_ort_api.html
"""

from __future__ import annotations

import _thread
import atexit
import ctypes
import gc
import os
import sys
from ctypes import c_char_p, c_int, c_size_t, c_ssize_t, c_void_p

from functions.core.onnx.memory_limit import limit_memory

TYPE_CHECKING = False  # importing typing, pathlib, functools or re would delay the first answer
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, TypeVar

    from functions.core.onnx.tensor import Memory

    Kind = TypeVar("Kind", bound="ctypes._SimpleCData[Any]")

API = 24
"""The version of the table whose positions are listed below. The table only grows: later libraries have them too."""
_LENGTH = 415
_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    # Position in OrtApi, then the parameter types, as onnxruntime_c_api.h declares them.
    "CreateEnv": (3, c_int, c_char_p, c_void_p),
    "CreateSessionFromArray": (8, c_void_p, c_void_p, c_size_t, c_void_p, c_void_p),
    "Run": (9, c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p),
    "CreateSessionOptions": (10, c_void_p),
    "SetSessionLogSeverityLevel": (22, c_void_p, c_int),
    "SetIntraOpNumThreads": (24, c_void_p, c_int),
    "SetInterOpNumThreads": (25, c_void_p, c_int),
    "SessionGetInputCount": (30, c_void_p, c_void_p),
    "SessionGetOutputCount": (31, c_void_p, c_void_p),
    "SessionGetOverridableInitializerCount": (32, c_void_p, c_void_p),
    "SessionGetInputTypeInfo": (33, c_void_p, c_size_t, c_void_p),
    "SessionGetOutputTypeInfo": (34, c_void_p, c_size_t, c_void_p),
    "SessionGetOverridableInitializerTypeInfo": (35, c_void_p, c_size_t, c_void_p),
    "SessionGetInputName": (36, c_void_p, c_size_t, c_void_p, c_void_p),
    "SessionGetOutputName": (37, c_void_p, c_size_t, c_void_p, c_void_p),
    "SessionGetOverridableInitializerName": (38, c_void_p, c_size_t, c_void_p, c_void_p),
    "CreateRunOptions": (39, c_void_p),
    "RunOptionsSetTerminate": (46, c_void_p),
    "RunOptionsUnsetTerminate": (47, c_void_p),
    "CreateTensorAsOrtValue": (48, c_void_p, c_void_p, c_size_t, c_int, c_void_p),
    "CreateTensorWithDataAsOrtValue": (49, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_int, c_void_p),
    "GetTensorMutableData": (51, c_void_p, c_void_p),
    "GetStringTensorDataLength": (53, c_void_p, c_void_p),
    "GetStringTensorContent": (54, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t),
    "CastTypeInfoToTensorInfo": (55, c_void_p, c_void_p),
    "GetOnnxTypeFromTypeInfo": (56, c_void_p, c_void_p),
    "GetTensorElementType": (60, c_void_p, c_void_p),
    "GetDimensionsCount": (61, c_void_p, c_void_p),
    "GetDimensions": (62, c_void_p, c_void_p, c_size_t),
    "GetSymbolicDimensions": (63, c_void_p, c_void_p, c_size_t),
    "CreateCpuMemoryInfo": (69, c_int, c_int, c_void_p),
    "AllocatorFree": (76, c_void_p, c_void_p),
    "GetAllocatorWithDefaultOptions": (78, c_void_p),
    "AddSessionConfigEntry": (130, c_void_p, c_char_p, c_char_p),
    "AddExternalInitializers": (210, c_void_p, c_void_p, c_void_p, c_size_t),
    "GetResizedStringTensorElementBuffer": (252, c_void_p, c_size_t, c_size_t, c_void_p),
    "GetTensorElementTypeAndShapeDataReference": (414, c_void_p, c_void_p, c_void_p, c_void_p),
}
_RELEASES = {"Session": 95, "Value": 96, "RunOptions": 97, "TypeInfo": 98, "SessionOptions": 100}
_FAST = {"CreateTensorWithDataAsOrtValue", "GetTensorElementTypeAndShapeDataReference", "GetTensorMutableData"}
"""Functions that are faster than releasing the interpreter's lock and taking it again."""
_GET_ERROR_MESSAGE, _RELEASE_STATUS, _HAS_SHAPE = 2, 93, 390
SMALLEST = bytes.fromhex(
    "08083a370a100a017812017922084964656e746974791201675a0f0a0178120a0a08080112040a02"
    "0801620f0a0179120a0a08080112040a02080142040a001011"
)
"""A model whose output is its input. The first session of a process sets up what all share: half of its time."""
FATAL = 4  # OrtLoggingLevel of a log that stays empty


class Unavailable(ImportError):
    """The library is not installed, cannot be loaded, or is older than the table above."""


class Failure(Exception):
    """A function of the library failed. The text is the first line of its message."""


class Handle(c_void_p):
    """An object of the library, released (`Release...`) when nothing refers to the handle any more."""

    free: ClassVar[Callable[[Handle], None]]

    def __del__(self) -> None:
        if self:
            type(self).free(self)


class Session(Handle): ...


class SessionOptions(Handle): ...


class RunOptions(Handle): ...


class Value(Handle): ...


class TypeInfo(Handle): ...


class Library:
    """The functions of the table, as attributes of the same names. Each raises `Failure` when it returns an error."""

    def __init__(self, path: str) -> None:
        """Load the library at `path`. Raises `Unavailable`."""
        try:
            base = ctypes.CDLL(path, handle=_dlopen(path)).OrtGetApiBase
        except (OSError, AttributeError) as problem:
            raise Unavailable(f"{path} cannot be loaded: {problem}") from None
        base.restype = ctypes.POINTER(c_void_p * 2)
        get_api, get_version = base().contents
        self.version: str = ctypes.CFUNCTYPE(c_char_p)(get_version)().decode()
        # The minor number is the newest table that the library has; asked for a newer one, it prints a message.
        table = int(self.version.split(".")[1]) >= API and ctypes.CFUNCTYPE(c_void_p, ctypes.c_uint32)(get_api)(API)
        if not table:
            raise Unavailable(f"{path} is version {self.version}; accepted: 1.{API} and later")
        self._table = (c_void_p * _LENGTH).from_address(table)
        self._message = ctypes.CFUNCTYPE(c_char_p, c_void_p)(self._table[_GET_ERROR_MESSAGE])
        self._release_status = ctypes.CFUNCTYPE(None, c_void_p)(self._table[_RELEASE_STATUS])
        for kind in Handle.__subclasses__():
            kind.free = ctypes.CFUNCTYPE(None, c_void_p)(self._table[_RELEASES[kind.__name__]])
        self.has_shape: Callable[[Any], bool] = ctypes.CFUNCTYPE(ctypes.c_bool, c_void_p)(self._table[_HAS_SHAPE])
        # These three are never released: at the end of the process, sessions may still refer to them.
        self.env, self.cpu, self.allocator = c_void_p(), c_void_p(), c_void_p()
        self.CreateEnv(FATAL, b"", ctypes.byref(self.env))
        self.CreateCpuMemoryInfo(0, 0, ctypes.byref(self.cpu))
        self.GetAllocatorWithDefaultOptions(ctypes.byref(self.allocator))

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return a function of the table, created on first use."""
        if name not in _FUNCTIONS:
            raise AttributeError(name)
        position, *takes = _FUNCTIONS[name]
        kind = ctypes.PYFUNCTYPE if name in _FAST else ctypes.CFUNCTYPE
        function = kind(c_void_p, *takes)(self._table[position])
        if name not in _FAST:
            function.errcheck = self.check
        setattr(self, name, function)
        return function

    def check(self, status: Any, *_: object) -> Any:
        """Raise `Failure` unless `status` is null, which means success."""
        if status:
            message = self._message(status).decode("utf-8", "replace")
            self._release_status(status)
            raise Failure(message.strip().split("\n", 1)[0][:300])


_loaded: list[Library] = []
_load_lock, _begun_lock, _gc_pause = (_thread.allocate_lock() for _ in range(3))
_arrays: dict[tuple[type, int], type] = {}
_MOST_ARRAYS = 256


def library() -> Library:
    """Return the one library of this process, loaded on first use. Raises `Unavailable`."""
    with _load_lock:
        if not _loaded:
            limit_memory()
            loaded = Library(find())
            _loaded.append(loaded)
            if _begun_lock.locked():
                _open_smallest(loaded)
    return _loaded[0]


def _open_smallest(loaded: Library) -> None:
    """Open and drop the smallest model. Ignores `Failure`: opening the next model reports the same."""
    options, session = SessionOptions(), Session()
    try:
        loaded.CreateSessionOptions(ctypes.byref(options))
        loaded.SetIntraOpNumThreads(options, 1)
        loaded.CreateSessionFromArray(loaded.env, SMALLEST, len(SMALLEST), options, ctypes.byref(session))
    except Failure:
        return


def begin() -> None:
    """Load the library in a background thread, while the rest of the function is imported; a second call does nothing.

    Garbage collection pauses until the library is loaded: there is hardly any garbage.
    """
    if not _begun_lock.acquire(blocking=False):
        return
    atexit.register(_load_quietly)  # a process that ends meanwhile waits: the library must not be unloaded half loaded
    # A process that forks meanwhile, as functions-framework's server does, waits too: in its child the loader's lock
    # would stay taken, by a thread that the child does not have.
    os.register_at_fork(before=_load_and_lock, after_in_parent=_load_lock.release, after_in_child=_load_lock.release)
    _gc_pause.acquire()
    gc.disable()
    try:
        _thread.start_new_thread(_load_quietly, ())
    except RuntimeError:  # no further thread can be started: the library is loaded on first use
        _resume_gc()


def _resume_gc() -> None:
    try:
        _gc_pause.release()
    except RuntimeError:
        return  # it is not paused
    gc.enable()


def _load_quietly() -> None:
    try:
        library()
    except (Unavailable, Failure):
        return  # the next call of `library` raises it again
    finally:
        _resume_gc()


def _load_and_lock() -> None:
    _load_quietly()
    _load_lock.acquire()


def find() -> str:
    """Return the path of the library's file, searched in the folders of `sys.path`. Raises `Unavailable`."""
    for entry in sys.path:
        folder = os.path.join(entry, "onnxruntime", "capi")  # noqa: PTH118
        try:
            names = os.listdir(folder)  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            if name.startswith("libonnxruntime."):
                return f"{folder}/{name}"
    raise Unavailable("onnxruntime is not installed: there is no onnxruntime/capi/libonnxruntime on the path")


def _dlopen(path: str) -> int | None:
    """Load a library as `ctypes.CDLL` does, without blocking other threads; None on failure: `CDLL` then says why."""
    try:
        dlopen = ctypes.CDLL(None).dlopen
    except AttributeError:
        return None
    dlopen.argtypes, dlopen.restype = (c_char_p, c_int), c_void_p
    return dlopen(os.fsencode(path), os.RTLD_NOW)


def array(kind: type[Kind], count: int) -> type[ctypes.Array[Kind]]:
    """Return the array type of `count` elements. Creating it takes longer than most calls, so types are cached."""
    kept: Any = _arrays.get((kind, count))
    if kept is None:
        if len(_arrays) >= _MOST_ARRAYS:
            _arrays.clear()
        kept = _arrays[kind, count] = kind * count
    return kept


class Buffer(ctypes.Structure):
    """The address of memory that a Python object owns, which this keeps alive: `Py_buffer` of the stable ABI.

    https://docs.python.org/3/c-api/buffer.html#c.Py_buffer
    """

    _fields_ = (
        ("address", c_void_p), ("owner", c_void_p), ("size", c_ssize_t), ("itemsize", c_ssize_t),
        ("readonly", c_int), ("ndim", c_int), ("format", c_void_p), ("shape", c_void_p), ("strides", c_void_p),
        ("suboffsets", c_void_p), ("internal", c_void_p),
    )  # fmt: skip
    address: int | None
    size: int

    def __init__(self, memory: Memory) -> None:
        """Raise `BufferError` when the memory is not contiguous."""
        _get_buffer(memory, ctypes.byref(self), 0)

    def __del__(self) -> None:
        _release_buffer(ctypes.byref(self))


def address_of(memory: memoryview) -> tuple[int, object]:
    """Return the address of a memoryview's memory, and an object that keeps that memory alive."""
    if type(memory.obj) is bytes and len(memory.obj) == memory.nbytes:
        return _address(memory.obj), memory.obj
    return (buffer := Buffer(memory)).address or 0, buffer


_address = ctypes.PYFUNCTYPE(c_void_p, ctypes.py_object)(("PyBytes_AsString", ctypes.pythonapi))
_get_buffer = ctypes.PYFUNCTYPE(c_int, ctypes.py_object, c_void_p, c_int)(("PyObject_GetBuffer", ctypes.pythonapi))
_release_buffer = ctypes.PYFUNCTYPE(None, c_void_p)(("PyBuffer_Release", ctypes.pythonapi))
