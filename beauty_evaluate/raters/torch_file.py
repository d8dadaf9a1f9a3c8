"""Arrays from a PyTorch file, without PyTorch, and without running what a pickle may hold."""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import WeightsError

MAGIC = 0x1950A86A20F9469CFC6C  # first number of a file of `torch.save` before version 1.6
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Storage(NamedTuple):
    """A row of numbers that stands further down in the file."""

    key: str
    dtype: np.dtype[Any]


class _Tensor(NamedTuple):
    """Which part of a storage an array is."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    def array(self, numbers: dict[str, NDArray[Any]]) -> NDArray[Any]:
        row = numbers[self.storage.key]
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.stride, strict=True))
        if min((self.offset, *self.stride)) < 0 or min(self.shape, default=1) < 1 or last >= len(row):
            raise ValueError("an array in it reaches beyond its numbers")
        steps = [step * row.itemsize for step in self.stride]
        return np.lib.stride_tricks.as_strided(row[self.offset :], self.shape, steps, writeable=False)


class _Unpickler(pickle.Unpickler):
    """Makes dicts, numbers and the records above, and refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuilt
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        _, dtype, key, *_ = pid
        return _Storage(str(key), dtype)


def _rebuilt(storage: _Storage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(stride))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a state dict that `torch.save` wrote before version 1.6.

    Args:
        path: of the file, such as `efficientnet-lite0-57934424.pth`.

    Returns:
        float32 and int64 arrays by name, in the order of the file.

    Raises:
        WeightsError: it is missing, damaged, or asks for anything but arrays of numbers.

    Example:
        >>> read_arrays(Path("examples/grace_hopper.jpg"))
        Traceback (most recent call last):
        beauty_evaluate.errors.WeightsError: examples/grace_hopper.jpg is not a PyTorch file of arrays alone (...).
    """
    try:
        with open(path, "rb") as file:
            return _read(file)
    except FileNotFoundError as error:
        raise WeightsError(f"No such file: {path}.") from error
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise WeightsError(f"{path} is not a PyTorch file of arrays alone ({error}).") from error


def _read(file: IO[bytes]) -> dict[str, NDArray[Any]]:
    """Magic number, version, machine, state dict, keys of the storages; then each storage, its length first."""
    magic, _, _, state, keys = (_Unpickler(file).load() for _ in range(5))
    if magic != MAGIC:
        raise ValueError("its first number is another one")
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in state.values()}
    numbers = {}
    for key in keys:
        (count,) = np.frombuffer(file.read(8), "<i8")
        data = file.read(int(count) * dtypes[key].itemsize)
        numbers[key] = np.frombuffer(data, dtypes[key], int(count))
    return {name: tensor.array(numbers) for name, tensor in state.items()}
