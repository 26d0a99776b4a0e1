"""The registers of the AXI shell: the one table behind the hardware, its page, the C header and the driver."""

from dataclasses import dataclass, field, replace
from functools import reduce
from operator import or_

from .activity import COUNTERS
from .checks import check_choice, check_number
from .errors import DesignError

WORD_BYTES = 4
CONSTANT, COMMAND, STATUS = "constant", "command", "status"
"""Kinds of registers, in the order of their addresses: known when the design is converted; writable, ones act and zeros do
nothing; read-only."""

ACCESS_RULES = (
    "All registers are 32 bits wide; the two lowest bits of an address do not count.",
    "A register is written as a whole, with all four byte strobes.",
    "A write of a part of a word, with some of its strobes, writes nothing and is answered with SLVERR.",
    "A write without any strobe writes nothing and is answered with OKAY.",
    "A write to a register that can only be read is answered with SLVERR.",
    "An access outside the map, whatever its strobes, is answered with DECERR.",
    "Either error answer sets BAD_ACCESS in ERRORS.",
)
"""What an access does; every access gets an answer. A write without strobes is no error even where nothing can be written: a
bridge from a wider bus makes one beside each write of half a beat."""

IDENTIFICATION = 0x44554F53
"""DUOS in ASCII."""
HASH_WORDS = 4
REGISTER_BITS = 32
FIRST_HASH = 2
"""Position of HASH_0 among the constants."""
CONSTANTS_FILE = "identity.hex"
"""The constants as the hardware's ROM holds them."""


@dataclass(frozen=True)
class Bits:
    """Bits `low` up to `low + width - 1` of a register."""

    name: str
    low: int
    width: int
    meaning: str

    def __post_init__(self):
        check_number(f"bits {self.name}", 0, REGISTER_BITS - 1, low=self.low)
        check_number(f"bits {self.name}", 1, REGISTER_BITS - self.low, width=self.width)

    @property
    def mask(self) -> int:
        return (2**self.width - 1) << self.low


@dataclass(frozen=True)
class Register:
    """A 32-bit register. value: of a constant one; it takes no part in comparison and repr, so that no module follows it."""

    name: str
    kind: str
    meaning: str
    bits: tuple[Bits, ...] = ()
    value: int = field(default=0, repr=False, compare=False)

    def __post_init__(self):
        check_choice(f"register {self.name}", (CONSTANT, COMMAND, STATUS), kind=self.kind)
        check_number(f"register {self.name}", 0, 2**REGISTER_BITS - 1, value=self.value)
        if sum(bits.mask for bits in self.bits) != reduce(or_, (bits.mask for bits in self.bits), 0):
            raise DesignError(f"register {self.name}: bits overlap; allowed: each bit has one meaning")

    def bit(self, name: str) -> Bits:
        return next(bits for bits in self.bits if bits.name == name)


@dataclass(frozen=True)
class RegisterMap:
    """Registers at consecutive addresses from 0: constants, then commands, then status registers."""

    registers: tuple[Register, ...]

    def __post_init__(self):
        kinds, names = [register.kind for register in self.registers], {register.name for register in self.registers}
        if kinds != sorted(kinds, key=[CONSTANT, COMMAND, STATUS].index) or set(kinds) != {CONSTANT, COMMAND, STATUS}:
            raise DesignError(f"register map: kinds {kinds}; allowed: constants, then commands, then status registers")
        if len(names) != len(kinds):
            raise DesignError("register map: two registers have one name")

    def __len__(self):
        return len(self.registers)

    def of_kind(self, kind: str) -> tuple[Register, ...]:
        return tuple(register for register in self.registers if register.kind == kind)

    def index(self, name: str) -> int:
        """Position of a register, its address in words."""
        return next(i for i, register in enumerate(self.registers) if register.name == name)

    def offset(self, name: str) -> int:
        """Address of a register in bytes."""
        return WORD_BYTES * self.index(name)

    @property
    def address_bits(self) -> int:
        """Width of an address: a page of 4 KiB, the least that Vivado and the AXI standard give a slave, or what is needed."""
        return max(12, (WORD_BYTES * len(self) - 1).bit_length())


CONTROL = Register(
    "CONTROL", COMMAND, "One bit is written at a time; reads as 0.",
    (
        Bits("START", 0, 1, "take images"),
        Bits("STOP", 1, 1, "take no further image after the current one"),
        Bits("RESET", 2, 1, "back to the state after power-up, for all but a result packet that has begun, which is sent whole"),
    ),
)  # fmt: skip
ERRORS = Register(
    "ERRORS", COMMAND, "What has gone wrong since reset; writing a 1 clears a bit.",
    (
        Bits("SHORT_IMAGE", 0, 1, "an image packet ended early; the rest of the image was taken as zeros"),
        Bits("LONG_IMAGE", 1, 1, "an image packet went on after its last beat; the surplus was dropped"),
        Bits("BAD_ACCESS", 2, 1, "an access outside the map (answered with DECERR), a write to a read-only register or of a part "
                                 "of a word (SLVERR); it did nothing"),
        Bits("BAD_COMMAND", 3, 1, "a write to CONTROL with several bits, or with one that has no meaning; it did nothing"),
    ),
)  # fmt: skip
STATE = Register(
    "STATUS", STATUS, "What the core does now.",
    (
        Bits("RUNNING", 0, 1, "images are taken"),
        Bits("BUSY", 1, 1, "an image or a result is under way"),
    ),
)  # fmt: skip
COUNTS = (
    Register("IMAGES", STATUS, "Image packets taken since reset, those of a wrong length too."),
    Register("RESULTS", STATUS, "Result packets sent whole since reset."),
    Register("CYCLES", STATUS, "Clock cycles since reset."),
)
LOADABLE_CONTROL = replace(
    CONTROL,
    bits=(
        *CONTROL.bits[:2],
        Bits("RESET", 2, 1, "back to the state after power-up, for all but what is loaded, and a result packet that has begun, "
                            "which is sent whole"),
        Bits("LOAD", 3, 1, "as RESET, and forget the network: the first word of one is due"),
    ),
)  # fmt: skip
LOADABLE_ERRORS = replace(
    ERRORS,
    bits=(
        *ERRORS.bits,
        Bits("NOT_LOADED", 4, 1, "START without a whole network; it did nothing"),
        Bits("BAD_LOAD", 5, 1, "a word was written to LOAD_DATA when none was due; it was dropped"),
    ),
)  # fmt: skip
LOADABLE_STATE = replace(STATE, bits=(*STATE.bits, Bits("LOADED", 2, 1, "a whole network has been loaded")))
LOAD_DATA = Register("LOAD_DATA", COMMAND, "Writing it loads the next word of a network; reads as 0.")
LOAD_COUNTS = (
    Register("LOADED_WORDS", STATUS, "Words of the network that have been loaded."),
    Register("LOAD_CRC", STATUS, "CRC-32 of these words (IEEE 802.3, zlib), of each the lowest byte first."),
)
COUNTER_MEANINGS = {
    "busy": "cycles in which the stage works",
    "stall_in": "cycles in which it waits for input",
    "stall_out": "cycles in which it waits for its successor",
    "events": "spike events that it has added",
    "silent": "pixels without a spike that it has passed",
}


def counter_name(stage: str, counter: str) -> str:
    """Name of the register of a stage's activity counter."""
    return f"{stage}_{counter}".upper()


def register_map(
    stages, version: tuple[int, int, int], identity: bytes, image_beats: int, result_words: int, loadable: bool = False
) -> RegisterMap:
    """The registers of a shell.

    stages: their names, in order. version: of Duospike, three numbers below 256. identity: SHA-256 of the network, or of the
    description of a loadable core; 16 bytes or more. loadable: the network comes through the bus.
    """
    if any(not 0 <= number < 256 for number in version):
        raise DesignError(f"register map: version {version}; allowed: three numbers of 0 to 255")
    check_number("register map", WORD_BYTES * HASH_WORDS, identity_bytes=len(identity))
    hashed = "SHA-256 of the core's description" if loadable else "network's SHA-256"
    constants = (
        Register("ID", CONSTANT, "DUOS in ASCII.", value=IDENTIFICATION),
        Register(
            "VERSION", CONSTANT, "Version of Duospike; a pre-release has the numbers of its release.",
            (Bits("MAJOR", 16, 8, "major"), Bits("MINOR", 8, 8, "minor"), Bits("PATCH", 0, 8, "patch")),
            version[0] << 16 | version[1] << 8 | version[2],
        ),
        *(
            Register(f"HASH_{i}", CONSTANT, f"Bytes {4 * i} to {4 * i + 3} of the {hashed}, big-endian.", value=word)
            for i, word in enumerate(hash_words(identity))
        ),
        Register("IMAGE_BEATS", CONSTANT, "Beats of an image packet.", value=image_beats),
        Register("RESULT_WORDS", CONSTANT, "Words of a result packet.", value=result_words),
    )  # fmt: skip
    counters = [
        Register(counter_name(stage, counter), STATUS, f"{stage}: {COUNTER_MEANINGS[counter]}, since reset; wraps at 2**32.")
        for stage in stages
        for counter in COUNTERS
    ]
    if loadable:
        fixed = (LOADABLE_CONTROL, LOADABLE_ERRORS, LOAD_DATA, LOADABLE_STATE, *COUNTS, *LOAD_COUNTS)
    else:
        fixed = (CONTROL, ERRORS, STATE, *COUNTS)
    return RegisterMap((*constants, *fixed, *counters))


def hash_words(identity: bytes) -> list[int]:
    """The first bytes of a hash as HASH_0 and the registers after it hold them."""
    return [int.from_bytes(identity[WORD_BYTES * i : WORD_BYTES * (i + 1)], "big") for i in range(HASH_WORDS)]
