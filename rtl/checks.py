"""Checks of parameters and ports: every block, and every record of parameters, makes them before it builds anything.

Each check names the block, the parameter with its value, and what is allowed, in one line.
"""

from .errors import DesignError

RESETS = ("subtract", "subtract_delayed", "zero", "none")
"""Resets that lif() can build."""
READOUTS = ("count", "first_spike", "last_membrane", "max_membrane")
"""Scores that readout() can form."""
MEMBRANE_READOUTS = ("last_membrane", "max_membrane")
"""Those of potentials: the neurons before them give these and no spikes."""


def check_number(where: str, least: int, most: int | None = None, /, **values):
    """Refuse values that are no integers from `least` to `most` (None: any from `least` up)."""
    allowed = f"{least} or more" if most is None else f"{least} to {most}"
    for name, value in values.items():
        if type(value) is not int or value < least or (most is not None and value > most):
            raise DesignError(f"{where}: {name} {value!r}; allowed: {allowed}")


def check_choice(where: str, allowed, /, **values):
    """Refuse values that are not among those allowed, which are all of one type."""
    for name, value in values.items():
        if value not in allowed or type(value) is not type(allowed[0]):
            raise DesignError(f"{where}: {name} {value!r}; allowed: {', '.join(map(str, allowed))}")


def check_width(where: str, bits: int, /, **ports):
    """Refuse ports that are no unsigned signals of `bits` bits; a stream is checked by its payload."""
    for name, port in ports.items():
        is_signed = (port.min or 0) < 0
        if len(port) != bits or is_signed:
            raise DesignError(
                f"{where}: {name} of {len(port)} bits, {'signed' if is_signed else 'unsigned'}; allowed: {bits} bits, unsigned"
            )


def check_signed(where: str, bits: int, /, **ports):
    """Refuse ports that are no signed signals of `bits` bits."""
    for name, port in ports.items():
        is_signed = (port.min or 0) < 0
        if len(port) != bits or not is_signed:
            raise DesignError(
                f"{where}: {name} of {len(port)} bits, {'signed' if is_signed else 'unsigned'}; allowed: {bits} bits, signed"
            )


def check_table(where: str, width: int, depth: int, /, **tables):
    """Refuse tables that have not `depth` words of `width` bits."""
    for name, table in tables.items():
        if (table.depth, table.width) != (depth, width):
            raise DesignError(
                f"{where}: {name} of {table.depth} words of {table.width} bits; allowed: {depth} words of {width} bits"
            )


def check_ports(where: str, stage, src, dst):
    """Refuse the streams of a stage whose payloads are not as wide as its parameters say."""
    check_width(where, stage.input_bits, src=src.data)
    check_width(where, stage.output_bits, dst=dst.data)


def check_image(where: str, stage):
    """Refuse an image that no DenseStage can take."""
    check_number(where, 1, height=stage.height, width=stage.width, channels=stage.channels, image_bits=stage.image_bits)
    check_number(where, 1, timesteps=stage.timesteps)
    check_choice(where, (False, True), image_signed=stage.image_signed)
    check_choice(where, tuple(dict.fromkeys((1, stage.timesteps))), frames=stage.frames)


def check_layer(where: str, layer):
    """Refuse lanes, timesteps and passes that no NeuronStage can have, and tables of another size than it needs."""
    check_number(where, 1, outputs=layer.outputs, timesteps=layer.timesteps, passes=layer.passes)
    check_number(where, 1, layer.outputs, lanes=layer.lanes)
    fields = layer.lanes * layer.taps
    weight_bits = max(1, layer.weights.width // fields)
    check_table(where, fields * weight_bits, layer.groups * layer.group_words, weights=layer.weights)
    check_table(where, layer.lanes * layer.sum_bits, layer.groups, bias=layer.bias)
    check_table(where, layer.lanes * layer.neuron.theta_bits, layer.groups, theta=layer.neuron.theta)
    if layer.neuron.leaks is not None:
        check_table(where, layer.lanes * layer.neuron.multiplier_bits, layer.groups, leaks=layer.neuron.leaks)
