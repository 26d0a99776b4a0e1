"""Proofs of what brings the image to the MAC array, and of what makes currents of its sums."""

from duospike.rtl.current_sum import current_sum, part_bits
from duospike.rtl.dense_fc import DenseFc, dense_fc
from duospike.rtl.image_memory import image_memory
from duospike.rtl.lif import Lif
from duospike.rtl.pixel_words import pixel_words
from duospike.rtl.stream import Stream, groups_of
from duospike.rtl.timestep_select import timestep_select
from verification.proof import Fault, Proof, bit, stage, table

from .streams import INVARIANTS

CURRENT_BITS = 4


def keeping(words: int, scans: int, depth: int, *faults: Fault) -> Proof:
    """A proof of an image memory with words of two bits."""
    return Proof(
        f"image_memory, {words} words, {scans} scans",
        "each image is read as often as it must, whole and in order, while the next one comes; no word is lost or overwritten",
        "image_memory", lambda: image_memory(bit(), bit(), Stream(2), Stream(2), words=words, scans=scans), depth, faults,
        {"WORDS": words, "SCANS": scans}, {"ram": "ram"}, 3 * words * max(2, scans) + 6,
    )  # fmt: skip


def words(pixels: int, pixel_bits: int, word_bits: int, depth: int, *faults: Fault) -> Proof:
    """A proof of words of pixels, or of words of parts of a pixel."""
    return Proof(
        f"pixel_words, {pixels} pixels of {pixel_bits} bits, words of {word_bits}",
        "a word has the pixels that came for it, or the next bits of a pixel and then zeros; none is lost or made up",
        "pixel_words " + ("cut_pixels" if word_bits < pixel_bits else "joined_pixels"),
        lambda: pixel_words(
            bit(), bit(), Stream(pixel_bits), Stream(word_bits), pixels=pixels, pixel_bits=pixel_bits, word_bits=word_bits
        ),
        depth, faults, {"PIXELS": pixels}, {}, depth + 2 * pixels,
    )  # fmt: skip


def summing(count: int, timesteps: int, repeat: int, depth: int, *faults: Fault) -> Proof:
    """A proof of the sums of one lane; count: words of a group."""
    biases = table("b.hex", CURRENT_BITS, 2) if count else None
    contents = sum(word << (CURRENT_BITS * place) for place, word in enumerate(biases.words)) if biases else 0
    return Proof(
        f"current_sum, {count} words, {timesteps} timesteps, each {repeat} times",
        "a current is the bias and the sum of what came for its group and timestep; a beat comes after the last of them",
        "current_sum" + " bias_walk" * bool(count),
        lambda: current_sum(
            bit(), bit(), Stream(part_bits(CURRENT_BITS, count)), Stream(timesteps * repeat * CURRENT_BITS), lanes=1, words=count,
            timesteps=timesteps, repeat=repeat, current_bits=CURRENT_BITS, bias=biases,
        ),
        depth, faults,
        {"WORDS": count, "TIMESTEPS": timesteps, "REPEAT": repeat, "GROUPS": 2 if count else 1, "BIASES": contents},
        {"group_walk": "walk"}, depth + 4 * max(1, count) * timesteps,
    )  # fmt: skip


def ordering(pixels: int, per_word: int, frames: int, depth: int, *faults: Fault) -> Proof:
    """A proof of a fully connected stage of the image, of two groups, with pixels of one bit."""
    words = groups_of(pixels, per_word)
    neuron = Lif(
        reset="none", multiplier=1, shift=1, current_bits=3, potential_bits=4, theta_bits=3, theta=table("theta.hex", 3, 2)
    )
    made = DenseFc(
        height=1, width=pixels, channels=1, image_bits=1, image_signed=False, frames=frames, multipliers=per_word, outputs=2,
        lanes=1, timesteps=frames, passes=1, bias=table("b.hex", 3, 2), weights=table("w.hex", 2 * per_word, 2 * words),
        neuron=neuron,
    )  # fmt: skip
    return Proof(
        f"dense_fc, {pixels} pixels, words of {per_word}, {frames} frames",
        "the words of an image meet their weights, group after group, and their sums the bias of their group",
        "dense_order" + " word_pixels" * (per_word > 1) + " word_windows" * (frames > 1), stage(dense_fc, made), depth, faults,
        {"PIXELS": pixels, "PER_WORD": per_word, "WORDS": words, "GROUPS": 2, "FRAMES": frames},
        {
            "pixel_words": "pixel_place", "image_memory": "memory_place", "timestep_select": "timestep_place",
            "mac_array": "mac_place", "current_sum": "sum_place", "group_walk": "walk",
        } | INVARIANTS, 6 * words * frames + pixels + 14,
    )  # fmt: skip


READ = "assign read = ((level != 0) && (dst_ready || (!valid)));"
TAKE = "assign take = (src_valid && (dst_ready || (!valid)));"
JOIN = "assign take = (src_valid && (dst_ready || (!ends_word)));"

PROOFS: tuple[Proof, ...] = (
    keeping(
        2, 2, 8,
        Fault("a word comes into a full memory", "assign write = (src_valid && (level != 2));", "assign write = src_valid;"),
        Fault("an image is freed after its first scan", "&& (word == 1) && (scan == 1))", "&& (word == 1))"),
        Fault("the second scan goes on in the next bank", "addr <= base;", "addr <= (addr + 1);"),
        Fault("an image is read before it is whole", "2) && (write_word == 1)", "2) && (write_word == 0)"),
        Fault("a word changes while it waits", READ, "assign read = (level != 0);"),
    ),
    keeping(
        1, 1, 8,
        Fault("an image that comes as one leaves is counted twice", "if ((completed && (!freed))) begin", "if (completed) begin"),
    ),
    keeping(3, 1, 8),
    words(
        5, 2, 4, 6,
        Fault("the last word of an image waits for more pixels", "((place == 1) || (pixel == 4))", "(place == 1)"),
        Fault("the pixel before is lost", "kept <= src_data;", "kept <= 0;"),
    ),
    words(
        4, 1, 3, 6,
        Fault("a pixel that waits is kept twice", JOIN, "assign take = src_valid;"),
    ),
    words(
        2, 5, 2, 6,
        Fault("the last part of a pixel is lost", "if ((part == 2)) begin", "if ((part == 1)) begin"),
        Fault("each part is the first one", "held <= (held >>> 2);", "held <= held;"),
    ),
    summing(
        2, 2, 1, 6,
        Fault("the bias is added with each word", "if ((beat < 2)) begin", "if (1) begin"),
        Fault("the timesteps do not move", "<= sums[(((p * 2) + t) + 1)];", "<= sums[((p * 2) + t)];"),
        Fault("a current comes a beat too early", "valid <= (beat == 3);", "valid <= (beat == 2);"),
    ),
    summing(
        3, 1, 2, 6,
        Fault("a part is added while the sum waits", TAKE, "assign take = src_valid;"),
    ),
    summing(
        0, 3, 1, 6,
        Fault("the second timestep is lost", "+ 2)] <= parts[p];", "+ 2)] <= (beat == 1) ? 0 : parts[p];"),
    ),
    Proof(
        "timestep_select, 2 inputs, 3 timesteps",
        "a beat gives what it holds for each timestep, in order, and only then makes place for the next",
        "timestep_select",
        lambda: timestep_select(bit(), bit(), Stream(12), Stream(4), inputs=2, input_bits=2, timesteps=3), 4,
        (
            Fault("a beat is taken with each timestep", "dst_ready && (timestep == 2)", "dst_ready"),
            Fault("the last timestep is another", " == t)) begin", " == t) && (t != 2)) begin"),
        ),
        {"INPUTS": 2, "TIMESTEPS": 3}, {}, 8,
    ),
    ordering(
        3, 2, 1, 12,
        Fault("the last word of an image waits for more pixels", "((place == 1) || (pixel == 2))", "(place == 1)"),
        Fault("a scan has one word", "if ((word != 1)) begin", "if (0) begin"),
        Fault("the weights are those of the next word", "window = (occupied[0] && step);", "window = (src_valid && step);"),
        Fault("a group does not end", "beat <= (beat == 1) ? 0 : (beat + 1);", "beat <= 0;"),
    ),
    ordering(
        2, 1, 2, 14,
        Fault("a word has one window", "dst_ready && (timestep == 1)", "dst_ready"),
    ),
)  # fmt: skip
