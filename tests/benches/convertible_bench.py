"""A block of a few ports in MyHDL's simulator, in Icarus or in GHDL: the same inputs, and the outputs of each."""

import importlib.util
import sys

from myhdl import StopSimulation, delay
from myhdl._Signal import _Signal

from duospike.cosim.block_simulation.dut import instantiate
from duospike.cosim.conversion.internals import forget_signals
from duospike.cosim.conversion.simulation import simulate


def load(text, folder):
    """The module of this text; MyHDL reads the source of a block from its file."""
    path = folder / f"example_{abs(hash(text))}.py"
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def outputs(text, vectors, simulator, folder, vpi):
    """The outputs of `top(**signals())` by port after each vector, and a clock edge if it has a clk."""
    module = load(text, folder)
    try:
        arguments = module.signals()
        dut = instantiate(module.top, simulator=simulator, folder=folder, vpi=vpi, **arguments)
        seen = []
        simulate(dut.instance, drive(ports_of(arguments), vectors, seen))
        return seen
    finally:
        del sys.modules[module.__name__]
        forget_signals()


def drive(signals, vectors, seen):
    for vector in vectors:
        for name, value in vector.items():
            signals[name].next = value
        yield from edge(signals, 1)
        seen.append({name: int(signal) for name, signal in signals.items() if name not in ("clk", *vector)})
        yield from edge(signals, 0)
    raise StopSimulation


def edge(signals, level):
    yield delay(5)
    if "clk" in signals:
        signals["clk"].next = level
    yield delay(5)


def ports_of(arguments):
    """Signals by port; the members of the interface src, left and right, whatever its class hides."""
    signals = {}
    for key, value in arguments.items():
        if isinstance(value, _Signal):
            signals[key] = value
        else:
            signals |= {f"{key}_{name}": getattr(value, name) for name in ("left", "right")}
    return signals
