"""onnxruntime's C library, spoken to as it is: the functions of its table, and handles that give themselves back.

Neither onnxruntime's Python package nor numpy is imported; docs/decisions/0011 says why. What every
function does and takes: https://onnxruntime.ai/docs/api/c/struct_ort_api.html
"""

from __future__ import annotations

import _thread
import atexit
import ctypes
import gc
import os
import sys
from ctypes import c_char_p, c_int, c_size_t, c_ssize_t, c_void_p

from functions.core.onnx.memory_limit import bound

TYPE_CHECKING = False  # neither typing nor pathlib, functools or re: a first answer does without them
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, TypeVar

    from functions.core.onnx.tensor import Memory

    Kind = TypeVar("Kind", bound="ctypes._SimpleCData[Any]")

API = 24
"""The version of the table whose positions stand below. The table only grows, so a later library has it too."""
_LENGTH = 415
_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    # Position in OrtApi, then what it takes, as onnxruntime_c_api.h declares it.
    "CreateEnv": (3, c_int, c_char_p, c_void_p),
    "CreateSessionFromArray": (8, c_void_p, c_void_p, c_size_t, c_void_p, c_void_p),
    "Run": (9, c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, c_void_p),
    "CreateSessionOptions": (10, c_void_p),
    "SetSessionLogSeverityLevel": (22, c_void_p, c_int),
    "SetIntraOpNumThreads": (24, c_void_p, c_int),
    "SetInterOpNumThreads": (25, c_void_p, c_int),
    "SessionGetInputCount": (30, c_void_p, c_void_p),
    "SessionGetOutputCount": (31, c_void_p, c_void_p),
    "SessionGetInputTypeInfo": (33, c_void_p, c_size_t, c_void_p),
    "SessionGetOutputTypeInfo": (34, c_void_p, c_size_t, c_void_p),
    "SessionGetInputName": (36, c_void_p, c_size_t, c_void_p, c_void_p),
    "SessionGetOutputName": (37, c_void_p, c_size_t, c_void_p, c_void_p),
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
    "CreateCpuMemoryInfo": (69, c_int, c_int, c_void_p),
    "AllocatorFree": (76, c_void_p, c_void_p),
    "GetAllocatorWithDefaultOptions": (78, c_void_p),
    "AddSessionConfigEntry": (130, c_void_p, c_char_p, c_char_p),
    "GetResizedStringTensorElementBuffer": (252, c_void_p, c_size_t, c_size_t, c_void_p),
    "GetTensorElementTypeAndShapeDataReference": (414, c_void_p, c_void_p, c_void_p, c_void_p),
}
_RELEASES = {"Session": 95, "Value": 96, "TypeInfo": 98, "SessionOptions": 100}
_BRIEF = frozenset(
    {"CreateTensorWithDataAsOrtValue", "GetTensorElementTypeAndShapeDataReference", "GetTensorMutableData"}
)
"""What ends sooner than it would take to let other threads run meanwhile."""
_GET_ERROR_MESSAGE, _RELEASE_STATUS = 2, 93
SMALLEST = bytes.fromhex(
    "08083a370a100a017812017922084964656e746974791201675a0f0a0178120a0a08080112040a02"
    "0801620f0a0179120a0a08080112040a02080142040a001011"
)
"""A model whose output is its input. The first session of a process pays for what all share: half of its time."""
FATAL = 4
"""OrtLoggingLevel of a log that stays empty."""


class Unavailable(ImportError):
    """There is no library, or it is older than the table that is written down here."""


class Failure(Exception):
    """A function of the library refused. The text is its own message, the first line of it."""


class Handle(c_void_p):
    """Something that the library made, which is released (`Release...`) when nobody holds it any more."""

    free: ClassVar[Callable[[Handle], None]]

    def __del__(self) -> None:
        if self:
            type(self).free(self)


class Session(Handle): ...


class SessionOptions(Handle): ...


class Value(Handle): ...


class TypeInfo(Handle): ...


class Library:
    """The functions of the table by their own names. Each raises `Failure` where it returns a status."""

    def __init__(self, path: str) -> None:
        """Raises `Unavailable`."""
        try:
            base = ctypes.CDLL(path, handle=_dlopen(path)).OrtGetApiBase
        except (OSError, AttributeError) as problem:
            raise Unavailable(f"{path} cannot be loaded: {problem}") from None
        base.restype = ctypes.POINTER(c_void_p * 2)
        get_api, get_version = base().contents
        self.version: str = ctypes.CFUNCTYPE(c_char_p)(get_version)().decode()
        # The minor number is the newest table that the library has; asked for a newer one it prints.
        table = int(self.version.split(".")[1]) >= API and ctypes.CFUNCTYPE(c_void_p, ctypes.c_uint32)(get_api)(API)
        if not table:
            raise Unavailable(f"{path} is version {self.version}; accepted: 1.{API} and later")
        self._table = (c_void_p * _LENGTH).from_address(table)
        self._message = ctypes.CFUNCTYPE(c_char_p, c_void_p)(self._table[_GET_ERROR_MESSAGE])
        self._release_status = ctypes.CFUNCTYPE(None, c_void_p)(self._table[_RELEASE_STATUS])
        for kind in Handle.__subclasses__():
            kind.free = ctypes.CFUNCTYPE(None, c_void_p)(self._table[_RELEASES[kind.__name__]])
        # These three live as long as the process: sessions that outlive it at its end still point to them.
        self.env, self.cpu, self.allocator = c_void_p(), c_void_p(), c_void_p()
        self.CreateEnv(FATAL, b"", ctypes.byref(self.env))
        self.CreateCpuMemoryInfo(0, 0, ctypes.byref(self.cpu))
        self.GetAllocatorWithDefaultOptions(ctypes.byref(self.allocator))

    def __getattr__(self, name: str) -> Callable[..., None]:
        """A function of the table, made when it is first asked for."""
        if name not in _FUNCTIONS:
            raise AttributeError(name)
        position, *takes = _FUNCTIONS[name]
        if name in _BRIEF:
            function = ctypes.PYFUNCTYPE(c_void_p, *takes)(self._table[position])
        else:
            function = ctypes.CFUNCTYPE(c_void_p, *takes)(self._table[position])
            function.errcheck = self._check
        setattr(self, name, function)
        return function

    def check(self, status: Any) -> None:
        """Raises `Failure` unless the status of a function is none."""
        if status:
            message = self._message(status).decode("utf-8", "replace")
            self._release_status(status)
            raise Failure(message.strip().split("\n", 1)[0][:300])

    def _check(self, status: Any, *_: object) -> Any:
        self.check(status)


_opened: list[Library] = []
_opening = _thread.allocate_lock()
_begun, _pause = _thread.allocate_lock(), _thread.allocate_lock()
_arrays: dict[tuple[type, int], type] = {}
_MOST_ARRAYS = 256


def library() -> Library:
    """The one library of this process, opened when it is first needed. Raises `Unavailable`."""
    with _opening:
        if not _opened:
            bound()
            opened = Library(find())
            _opened.append(opened)
            if _begun.locked():
                _open_smallest(opened)
    return _opened[0]


def _open_smallest(opened: Library) -> None:
    """What goes wrong goes wrong again, and is told, when a model is opened."""
    options, session = SessionOptions(), Session()
    try:
        opened.CreateSessionOptions(ctypes.byref(options))
        opened.SetIntraOpNumThreads(options, 1)
        opened.CreateSessionFromArray(opened.env, SMALLEST, len(SMALLEST), options, ctypes.byref(session))
    except Failure:
        return


def begin() -> None:
    """Begin to open the library in the background, while the rest of a function is imported.

    Once begun, it is not begun again. Meanwhile no garbage is collected: there is next to none.
    """
    if not _begun.acquire(blocking=False):
        return
    atexit.register(_open_quietly)  # a process that ends meanwhile waits, or the library would be torn down half made
    # One that divides meanwhile, as the server of functions-framework does, waits too: its child would find the
    # loader's lock taken, by a thread that it does not have.
    os.register_at_fork(before=_hold, after_in_parent=_opening.release, after_in_child=_opening.release)
    _pause.acquire()
    gc.disable()
    try:
        _thread.start_new_thread(_open_quietly, ())
    except RuntimeError:  # there can be no further thread: it is opened when it is needed
        _collect()


def _collect() -> None:
    try:
        _pause.release()
    except RuntimeError:
        return  # it is not paused
    gc.enable()


def _open_quietly() -> None:
    try:
        library()
    except (Unavailable, Failure):
        return  # whoever asks for it next is told
    finally:
        _collect()


def _hold() -> None:
    _open_quietly()
    _opening.acquire()


def find() -> str:
    """Return the path of the library, among the packages that Python finds. Raise `Unavailable`."""
    for place in sys.path:
        folder = os.path.join(place, "onnxruntime", "capi")  # noqa: PTH118
        try:
            names = os.listdir(folder)  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            if name.startswith("libonnxruntime."):
                return f"{folder}/{name}"
    raise Unavailable("onnxruntime is not installed: there is no onnxruntime/capi/libonnxruntime on the path")


def _dlopen(path: str) -> int | None:
    """What `ctypes.CDLL` does, but other threads run meanwhile; None where it cannot be done, as that one will say."""
    try:
        opened = ctypes.CDLL(None).dlopen
    except AttributeError:
        return None
    opened.argtypes, opened.restype = (c_char_p, c_int), c_void_p
    return opened(os.fsencode(path), os.RTLD_NOW)


def array(kind: type[Kind], count: int) -> type[ctypes.Array[Kind]]:
    """The type of so many in a row. To make it anew takes longer than most calls, so the last ones are kept."""
    found: Any = _arrays.get((kind, count))
    if found is None:
        if len(_arrays) >= _MOST_ARRAYS:
            _arrays.clear()
        found = _arrays[kind, count] = kind * count
    return found


class Lent(ctypes.Structure):
    """Memory that Python owns, where it lies, for as long as this is held: `Py_buffer` of the stable ABI.

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
        """Raises `BufferError` for memory with gaps."""
        _get_buffer(memory, ctypes.byref(self), 0)

    def __del__(self) -> None:
        _release_buffer(ctypes.byref(self))


def lent(memory: memoryview) -> tuple[int, object]:
    """The address of memory that Python owns, and what to hold as long as it is used."""
    owner = memory.obj
    if type(owner) is bytes and len(owner) == memory.nbytes:
        return _address(owner), owner
    held = Lent(memory)
    return held.address or 0, held


_address = ctypes.PYFUNCTYPE(c_void_p, ctypes.py_object)(("PyBytes_AsString", ctypes.pythonapi))
_get_buffer = ctypes.PYFUNCTYPE(c_int, ctypes.py_object, c_void_p, c_int)(("PyObject_GetBuffer", ctypes.pythonapi))
_release_buffer = ctypes.PYFUNCTYPE(None, c_void_p)(("PyBuffer_Release", ctypes.pythonapi))
