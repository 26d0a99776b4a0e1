"""Quantized spiking neural networks as FPGA hardware that is verified bit for bit.

The names below are the public interface; all else may change from one version to the next. They are imported when they are first
used, since some need torch, which takes a second.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import (
        convert,
        cosimulate,
        count_cycles,
        evaluate,
        export_nir,
        import_nir,
        import_torch,
        load,
        load_images,
        prepare,
        run,
        save,
        simulate_overlay,
    )
    from .reference.errors import InputError
    from .reference.network import Network

__all__ = [
    "InputError",
    "Network",
    "convert",
    "cosimulate",
    "count_cycles",
    "evaluate",
    "export_nir",
    "import_nir",
    "import_torch",
    "load",
    "load_images",
    "prepare",
    "run",
    "save",
    "simulate_overlay",
]

_HOMES = {"InputError": "duospike.reference.errors", "Network": "duospike.reference.network"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "duospike.api")), name)


def __dir__() -> list[str]:
    return __all__
