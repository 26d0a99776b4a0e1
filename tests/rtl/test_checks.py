"""Every block of rtl/ and every record of its parameters refuses what it cannot be, by name, and takes what is extreme."""

import importlib
import inspect
import pkgutil
from dataclasses import fields, replace

import numpy as np
import pytest
from myhdl._block import block_decorator
from myhdl._Signal import _Signal

import duospike.rtl
from duospike.cosim.conversion.elaboration import quick_inspection
from duospike.reference.network import KERNELS, RESETS
from duospike.rtl import checks, kernel
from duospike.rtl.accelerator import accelerator, trace_bits
from duospike.rtl.accumulator import accumulator, row_padding
from duospike.rtl.activity import ACTIVITY_BITS, activity
from duospike.rtl.adder_step import adder_step
from duospike.rtl.answer_header import answer_header
from duospike.rtl.axi_lite import AxiLite, Layout, axi_lite
from duospike.rtl.axi_shell import axi_shell, plan_shell
from duospike.rtl.axi_stream import AxiStream, data_bits
from duospike.rtl.banked_memory import banked_memory, words_of_bank
from duospike.rtl.beat_place import beat_place
from duospike.rtl.beat_spacing import beat_spacing
from duospike.rtl.board_core import board_core
from duospike.rtl.bridge_answer import bridge_answer
from duospike.rtl.bridge_control import bridge_control
from duospike.rtl.bus_master import bus_master
from duospike.rtl.channel_select import channel_select
from duospike.rtl.chunk_flags import chunk_flags
from duospike.rtl.chunk_select import chunk_select, chunk_width
from duospike.rtl.class_scores import class_scores
from duospike.rtl.column_position import LineAccess, column_position
from duospike.rtl.column_start import column_start
from duospike.rtl.column_tags import column_tags
from duospike.rtl.crc32 import crc32
from duospike.rtl.credit_counter import credit_counter
from duospike.rtl.crop import Crop, crop
from duospike.rtl.current_pool import CurrentPool, current_pool
from duospike.rtl.current_sum import current_sum, part_bits
from duospike.rtl.delay_line import delay_line
from duospike.rtl.dense_core import DenseCore, dense_core
from duospike.rtl.dense_fc import DenseFc, dense_fc
from duospike.rtl.encoder import Encoder, encoder
from duospike.rtl.errors import DesignError
from duospike.rtl.event_queue import event_queue
from duospike.rtl.fc_accumulator import fc_accumulator
from duospike.rtl.fifo import fifo
from duospike.rtl.group_walk import group_walk
from duospike.rtl.image_intake import image_intake
from duospike.rtl.image_memory import image_memory
from duospike.rtl.image_window import image_window
from duospike.rtl.leak import leak
from duospike.rtl.lif import Lif, lif
from duospike.rtl.line_buffer import line_buffer, waiting_rows
from duospike.rtl.load_control import load_control
from duospike.rtl.loaded_memory import loaded_memory
from duospike.rtl.loading import Load, LoadedTable
from duospike.rtl.lowest_one import lowest_one
from duospike.rtl.mac_array import mac_array
from duospike.rtl.membrane_value import membrane_value
from duospike.rtl.memory import Table, ram, rom
from duospike.rtl.neuron import neuron
from duospike.rtl.neuron_pipeline import neuron_pipeline
from duospike.rtl.neuron_score import neuron_score
from duospike.rtl.open_windows import open_windows, opening_of
from duospike.rtl.packet_receiver import packet_receiver
from duospike.rtl.packet_sender import packet_sender
from duospike.rtl.packets import Line
from duospike.rtl.pass_memory import pass_memory
from duospike.rtl.pixel_words import pixel_words, words_of_image
from duospike.rtl.pool import Pool, pool
from duospike.rtl.readout import Readout, readout
from duospike.rtl.registers import COMMAND, CONSTANT, Bits, Register, register_map
from duospike.rtl.request_fields import request_fields
from duospike.rtl.result_output import result_output
from duospike.rtl.row_buffer import row_buffer
from duospike.rtl.row_intake import row_intake
from duospike.rtl.scan_base import scan_base
from duospike.rtl.scan_position import position_width, scan_position
from duospike.rtl.scanner import event_width, scanner
from duospike.rtl.serial_crc32 import serial_crc32
from duospike.rtl.shell_control import shell_control
from duospike.rtl.span_select import span_select, span_width
from duospike.rtl.sparse_conv import SparseConv, sparse_conv
from duospike.rtl.sparse_fc import SparseFc, sparse_fc
from duospike.rtl.spike_history import spike_history
from duospike.rtl.stall_timer import stall_timer
from duospike.rtl.stream import Stream, index_bits, pack, signed, take_bit, take_field, take_whole, unpack
from duospike.rtl.sum_window import sum_window
from duospike.rtl.tag_line import tag_line
from duospike.rtl.timestep_select import timestep_select
from duospike.rtl.uart_bridge import uart_bridge
from duospike.rtl.uart_receiver import uart_receiver
from duospike.rtl.uart_transmitter import uart_transmitter
from duospike.rtl.weight_fetch import weight_fetch
from duospike.rtl.window_axis import AxisPosition, Windows, window_axis
from duospike.rtl.window_position import window_position
from duospike.rtl.word_beats import word_beats
from duospike.rtl.word_bytes import word_bytes
from verification.proof import activity_counts, bit, vector


@pytest.fixture(autouse=True)
def quick():
    with quick_inspection():
        yield


def index(count):
    return vector(index_bits(count))


def table(width, depth):
    return Table("words.hex", width, [0] * depth)


def bits_of(names):
    return {name: bit() for name in names.split()}


def clocked(src, dst, **more):
    return {"clk": bit(), "rst": bit(), "src": Stream(src), "dst": Stream(dst), **more}


# Records of parameters, each consistent whatever its numbers.


def lif_of(lanes=2, groups=2, **changes):
    numbers = {"multiplier": 1, "shift": 1, "current_bits": 3, "potential_bits": 4, "theta_bits": 3}
    numbers |= {"reset": "subtract"} | changes
    return Lif(**{"theta": table(lanes * numbers["theta_bits"], groups)} | numbers)


def layer_of(outputs=3, lanes=2, timesteps=2, passes=1, *, words, fields, weight_bits=4):
    """What layers with neurons share. words: of weights for each group; fields: of a lane in each."""
    groups = -(-outputs // lanes)
    return {
        "outputs": outputs, "lanes": lanes, "timesteps": timesteps, "passes": passes, "bias": table(lanes * 3, groups),
        "weights": table(lanes * fields * weight_bits, groups * words), "neuron": lif_of(lanes, groups),
    }  # fmt: skip


def dense_of(height=3, width=4, channels=2, image_bits=5, image_signed=False, kernel=(3, 3), frames=1, **layer):
    return DenseCore(
        height=height, width=width, out_rows=range(height), out_columns=range(width), channels=channels, image_bits=image_bits,
        image_signed=image_signed, kernel=kernel, frames=frames,
        **layer_of(words=1, fields=kernel[0] * kernel[1] * channels, **layer),
    )  # fmt: skip


def dense_fc_of(height=3, width=4, channels=2, image_bits=5, image_signed=False, multipliers=4, frames=1, **layer):
    words = words_of_image(height * width, channels, multipliers)
    return DenseFc(
        height=height, width=width, channels=channels, image_bits=image_bits, image_signed=image_signed, frames=frames,
        multipliers=multipliers, **layer_of(words=words, fields=multipliers, **layer),
    )  # fmt: skip


def conv_of(height=3, width=4, parts=2, chunks=2, lanes_in=3, kernel=(3, 3), banks=2, queue_depth=1, **layer):
    return SparseConv(
        height=height, width=width, out_rows=range(height), out_columns=range(width), parts=parts, chunks=chunks,
        lanes_in=lanes_in, kernel=kernel, banks=banks, queue_depth=queue_depth,
        **layer_of(words=parts * chunks * lanes_in, fields=kernel[0] * kernel[1], **layer),
    )  # fmt: skip


def fc_of(parts=2, chunks=2, lanes_in=3, banks=2, queue_depth=1, **layer):
    return SparseFc(
        parts=parts, chunks=chunks, lanes_in=lanes_in, banks=banks, queue_depth=queue_depth,
        **layer_of(words=parts * chunks * lanes_in, fields=1, **layer),
    )  # fmt: skip


def encoder_of(height=2, width=3, lanes=2, image_bits=4, timesteps=2, register_bits=8, feedback=0x8E, passes=3):
    return Encoder(
        height=height, width=width, lanes=lanes, image_bits=image_bits, timesteps=timesteps, register_bits=register_bits,
        feedback=feedback, states=table(lanes * timesteps * register_bits, passes),
    )  # fmt: skip


def pool_of(height=3, width=4, groups=2, lanes=2, timesteps=2):
    return Pool(height=height, width=width, groups=groups, lanes=lanes, timesteps=timesteps)


def readout_of(outputs=6, classes=3, **changes):
    return Readout(outputs=outputs, classes=classes, **{"lanes": 2, "timesteps": 2, "passes": 1} | changes)


def chain():
    """Stages that take each other's beats."""
    return {
        "conv1": dense_of(), "pool1": pool_of(width=4), "conv2": conv_of(height=1, width=2, parts=1, chunks=2, lanes_in=2),
        "fc1": fc_of(parts=1, chunks=4, lanes_in=2, outputs=6), "readout": readout_of(),
    }  # fmt: skip


def shell_of():
    stages = chain()
    return plan_shell(stages, 12, register_map(stages, (0, 1, 0), bytes(32), 12, 4))


def line_of(divider=4, timeout=64):
    return Line(divider=divider, timeout=timeout)


# Arguments of each block, with ports as its parameters need them.


def of_stage(stage, **more):
    return clocked(stage.input_bits, stage.output_bits, counts=activity_counts(), stage=stage, **more)


def of_accelerator():
    stages = chain()
    first, last = stages["conv1"], stages["readout"]
    counts, trace = vector(len(stages) * ACTIVITY_BITS), vector(trace_bits(stages))
    return clocked(first.input_bits, last.output_bits, counts=counts, trace=trace, stages=stages)


def of_accumulator(height=2, width=3, parts=1, kernel=(3, 3), timesteps=2, lanes=2, weight_bits=4, current_bits=6, groups=2):
    return clocked(
        lanes * kernel[0] * kernel[1] * weight_bits + timesteps + 1, lanes * timesteps * current_bits, counts=activity_counts(),
        **map_of(height, width), parts=parts, padding=row_padding(width, groups, kernel, parts), kernel=kernel,
        timesteps=timesteps, lanes=lanes, weight_bits=weight_bits, current_bits=current_bits,
        bias=table(lanes * current_bits, groups),
    )  # fmt: skip


def of_fc_accumulator(parts=2, timesteps=2, lanes=2, weight_bits=4, current_bits=6, groups=2):
    return clocked(
        lanes * weight_bits + timesteps + 1, lanes * timesteps * current_bits, counts=activity_counts(), parts=parts,
        timesteps=timesteps, lanes=lanes, weight_bits=weight_bits, current_bits=current_bits,
        bias=table(lanes * current_bits, groups),
    )  # fmt: skip


def of_activity():
    return bits_of("clk rst busy stall_in stall_out has_event is_silent") | {"counts": activity_counts()}


def of_adder_step(lanes=2, groups=2, padded=4, bits=5):
    terms, sums = vector(lanes * groups * 4 * bits), vector(lanes * padded * bits)
    return bits_of("clk step") | {"terms": terms, "sums": sums, "lanes": lanes, "groups": groups, "padded": padded, "bits": bits}


def of_axi_lite(constants=3, commands=2, states=4, address_bits=12):
    return bits_of("clk rst write bad_access") | {
        "bus": AxiLite(address_bits), "values": vector(32 * (commands + states)), "write_index": index(commands),
        "write_data": vector(32), "layout": Layout(constants=constants, commands=commands, states=states),
        "identity": table(32, constants),
    }  # fmt: skip


def of_axi_shell():
    shell = shell_of()
    streams = {"s_axis": AxiStream(shell.image_data_bits), "m_axis": AxiStream(32)}
    return bits_of("aclk aresetn") | streams | {"s_axi": AxiLite(12), "shell": shell}


def of_banked_memory(depth=11, bank_words=4, width=5):
    ports = {"address": index(depth), "word": vector(width)}
    return bits_of("clk step wanted") | ports | {"table": table(width, depth), "bank_words": bank_words}


def of_crc32():
    return bits_of("clk restart write") | {"data": vector(32), "crc": vector(32)}


def of_current_sum(lanes=2, words=3, timesteps=2, repeat=2, current_bits=5, groups=2):
    bias = table(lanes * current_bits, groups) if words else None
    return clocked(
        lanes * part_bits(current_bits, words), lanes * timesteps * repeat * current_bits, lanes=lanes, words=words,
        timesteps=timesteps, repeat=repeat, current_bits=current_bits, bias=bias,
    )  # fmt: skip


def of_fifo(depth=3, width=5):
    return clocked(width, width, depth=depth)


def of_group_walk(columns=3, groups=5):
    return bits_of("clk rst advance") | {"next_group": index(groups), "columns": columns, "groups": groups}


def of_image_intake(beats=7, bits=5, data=8):
    streams = {"src": AxiStream(data), "dst": Stream(bits), "mark": Stream(1)}
    return bits_of("clk rst enable ended ended_early ended_late active") | streams | {"beats": beats}


def of_image_memory(words=3, scans=2, width=5):
    return clocked(width, width, words=words, scans=scans)


def of_pixel_words(pixels=5, pixel_bits=4, word_bits=8):
    return clocked(pixel_bits, word_bits, pixels=pixels, pixel_bits=pixel_bits, word_bits=word_bits)


def of_timestep_select(inputs=3, input_bits=4, timesteps=2):
    sizes = {"inputs": inputs, "input_bits": input_bits, "timesteps": timesteps}
    return clocked(inputs * timesteps * input_bits, inputs * input_bits, **sizes)


def map_of(height, width):
    return {"height": height, "width": width, "out_rows": range(height), "out_columns": range(width)}


def of_image_window(height=3, width=4, kernel=(3, 3), groups=2, pixel_bits=5):
    sizes = {"kernel": kernel, "groups": groups, "pixel_bits": pixel_bits}
    return clocked(pixel_bits, kernel[0] * kernel[1] * pixel_bits, **map_of(height, width), **sizes)


def of_row_intake(width=4, banks=4):
    ports = {"write_bank": index(banks), "write_column": index(width), "level": index(banks + 1), "rows_out": index(3)}
    return bits_of("clk rst valid ready write") | ports | {"width": width, "banks": banks}


def of_tag_line(steps=3):
    return bits_of("clk rst advance tag arrived") | {"steps": steps}


def of_window_position(height=3, width=4, kernel=(3, 3), groups=2):
    rows = kernel[0]
    counts = {"level": rows + 2, "column": width, "center": rows + 1, "rows_out": rows // 2 + 2}
    ports = {name: index(count) for name, count in counts.items()} | {"row_exists": vector(rows)}
    return bits_of("clk rst advance available parity") | ports | map_of(height, width) | {"kernel": kernel, "groups": groups}


def of_lif(lanes=2, timesteps=2, rows=3, columns=2, passes=1, **neuron):
    sizes = {"lanes": lanes, "timesteps": timesteps, "rows": rows, "columns": columns, "passes": passes}
    made = lif_of(lanes, **neuron)
    return clocked(lanes * timesteps * made.current_bits, lanes * timesteps, neuron=made, **sizes)


def of_neuron(current_bits=4, theta_bits=4, **numbers):
    numbers = {"reset": "subtract_delayed", "multiplier": 1, "shift": 1, "potential_bits": 6} | numbers
    bits = numbers["potential_bits"] if type(numbers["potential_bits"]) is int else 6
    ports = {"current": current_bits, "theta": theta_bits, "carried_theta": theta_bits}
    ports |= dict.fromkeys(("potential", "leaked", "membrane"), bits)
    factors = {name: index(numbers["multiplier"] + 1) for name in ("factor", "carried_factor")}
    signals = {name: signed(width) for name, width in ports.items()} | factors
    return bits_of("clk charges fires spike spiked") | signals | numbers


def of_leak(bits=6, **numbers):
    numbers = {"multiplier": 3, "shift": 2} | numbers
    factor = index(numbers["multiplier"] + 1)
    return bits_of("clk fires") | {"remaining": signed(bits), "leaked": signed(bits), "factor": factor} | numbers


def of_membrane_value(bits=6):
    return bits_of("clk fires charges") | {name: signed(bits) for name in ("charged", "value", "earlier")}


def of_spike_history(lanes=2, timesteps=2):
    lists = {"entering": timesteps, "charging": timesteps, "fired": lanes * timesteps}
    ports = {name: [bit() for _ in range(count)] for name, count in lists.items()} | {"spikes": vector(lanes * timesteps)}
    return {"clk": bit()} | ports | {"lanes": lanes, "timesteps": timesteps}


def of_neuron_score(score="first_spike", timesteps=2, passes=2):
    numbers = {"score": score, "timesteps": timesteps, "passes": passes}
    return bits_of("clk step rst ends_pass") | {"word": vector(timesteps), "given": index(timesteps * passes + 1)} | numbers


def of_class_scores(rule="count", classes=3, score_bits=4):
    widths = {"given": 2, "score": score_bits, "scores": classes * score_bits}
    ports = {"class_index": index(classes)} | {name: vector(width) for name, width in widths.items()}
    return bits_of("clk adds first later") | ports | {"rule": rule, "classes": classes}


def of_neuron_pipeline(lanes=2, timesteps=2, **changes):
    made = lif_of(lanes, reset="subtract_delayed", **changes)
    widths = {
        "currents": lanes * timesteps * made.current_bits, "thetas": lanes * made.theta_bits, "results": lanes * timesteps,
        "factors": lanes * made.multiplier_bits,
        "recalled": lanes * made.potential_bits, "potentials": lanes * made.potential_bits, "recalled_spikes": lanes,
        "last_spikes": lanes,
    }  # fmt: skip
    ports = {name: vector(width) for name, width in widths.items()}
    return bits_of("clk rst take done") | ports | {"lanes": lanes, "timesteps": timesteps, "neuron": made}


def of_pass_memory(beats=5, passes=2, width=7):
    ports = {"recalled": vector(width), "word": vector(width)}
    return bits_of("clk rst take give") | ports | {"beats": beats, "passes": passes}


def of_credit_counter(places=3):
    return bits_of("clk rst take leave has_room") | {"places": places}


def of_beat_spacing(cycles=3):
    return bits_of("clk rst take is_due") | {"cycles": cycles}


def of_column_position(height=3, width=4, parts=2, padding=0, kernel=(3, 3), groups=2):
    sizes = {"parts": parts, "padding": padding, "kernel": kernel, "groups": groups} | map_of(height, width)
    words = groups * (width + padding) if all(type(size) is int for size in (groups, width, padding)) else 8
    line = {"line": LineAccess(words, kernel, 2)}
    return bits_of("clk rst shift parity emits") | {"group_index": index(groups)} | line | sizes


def of_column_tags(positions=4, kernel=(3, 3)):
    names = "clk rst shift next_parity next_emits leaving_emits primed"
    return bits_of(names) | {"own": vector(kernel[1]), "positions": positions, "kernel": kernel}


def of_sum_window(kernel=(3, 3), timesteps=2, lanes=2, weight_bits=3, current_bits=6):
    numbers = {"timesteps": timesteps, "lanes": lanes, "weight_bits": weight_bits, "current_bits": current_bits}
    rows, columns = kernel
    column = timesteps * lanes * rows * current_bits
    ports = {
        "mask": vector(timesteps), "own": vector(columns), "weights": vector(lanes * rows * columns * weight_bits),
        "entering": vector(column), "leaving": vector(column),
    }  # fmt: skip
    return bits_of("clk step moves add") | ports | {"kernel": kernel} | numbers


def of_line_buffer(words=8, kernel=(3, 3), parts=2, timesteps=2, lanes=2, current_bits=6):
    numbers = {"words": words, "parts": parts, "timesteps": timesteps, "lanes": lanes, "current_bits": current_bits}
    fields = timesteps * lanes * current_bits
    ports = {
        "line": LineAccess(words, kernel, parts), "leaving": vector(fields * len(waiting_rows(kernel, parts))),
        "stored_word": vector(fields * len(waiting_rows(kernel, parts))),
    }  # fmt: skip
    same_row = bits_of("same_row") if kernel[0] > 1 and parts > 1 else {}
    return bits_of("clk rst shift fresh") | same_row | ports | {"kernel": kernel} | numbers


def of_column_start(kernel=(3, 3), parts=2, timesteps=2, lanes=2, current_bits=6):
    numbers = {"parts": parts, "timesteps": timesteps, "lanes": lanes, "current_bits": current_bits}
    fields = timesteps * lanes * current_bits
    ports = {
        "biases": vector(lanes * current_bits), "stored_word": vector(fields * len(waiting_rows(kernel, parts))),
        "entering": vector(fields * kernel[0]),
    }  # fmt: skip
    same_row = bits_of("same_row") if kernel[0] > 1 and parts > 1 else {}
    return bits_of("fresh") | same_row | ports | {"kernel": kernel} | numbers


def of_load_control(pieces=4):
    vectors = {"write_data": 32, "states": 192, "command_data": 32, "values": 288, "write_index": 2}
    ports = {name: vector(width) for name, width in vectors.items()}
    return bits_of("clk rst write control_rst command core_rst") | ports | {"load": Load(pieces), "pieces": pieces}


def of_loaded_memory(width=70, depth=5, first=3, pieces=20):
    held = LoadedTable("weights", width, [0] * depth, first)
    return bits_of("clk read") | {"read_addr": index(depth), "q": vector(width), "table": held, "load": Load(pieces)}


def of_lowest_one(size=7):
    return bits_of("is_last") | {"flags": vector(size), "index": index(size), "rest": vector(size)}


def of_mac_array(
    lanes=2, columns=3, repeat=2, inputs=5, input_bits=4, input_signed=False, current_bits=9, groups=2, weight_bits=3,
    has_bias=True,
):  # fmt: skip
    return clocked(
        inputs * input_bits, lanes * repeat * current_bits, lanes=lanes, columns=columns, repeat=repeat, inputs=inputs,
        input_bits=input_bits, input_signed=input_signed, current_bits=current_bits,
        bias=table(lanes * current_bits, groups) if has_bias else None, weights=table(lanes * inputs * weight_bits, groups),
    )  # fmt: skip


def of_ram(depth=5, width=7):
    ports = {"write_addr": index(depth), "write_data": vector(width), "read_addr": index(depth), "q": vector(width)}
    return bits_of("clk write read") | ports | {"depth": depth}


def of_rom(width=7, depth=5):
    return bits_of("clk read") | {"read_addr": index(depth), "q": vector(width), "table": table(width, depth)}


def of_result_output(classes=3, score_bits=5, is_signed=True):
    streams = {"src": Stream(index_bits(classes) + classes * score_bits), "mark": Stream(1), "dst": AxiStream(32)}
    sizes = {"classes": classes, "score_bits": score_bits, "is_signed": is_signed}
    return bits_of("clk rst core_rst sent active") | streams | sizes


def of_row_buffer(pixels=3, chunks=2, banks=2, width=4, columns=1):
    ports = {
        "src": Stream(width), "full": vector(banks), "freed_bank": index(banks), "read_addr": index(banks * pixels * chunks),
        "word": vector(width), "peek_addr": index(banks * pixels), "peek": vector(chunks),
    }  # fmt: skip
    return bits_of("clk rst free_bank read") | ports | {"pixels": pixels, "chunks": chunks, "banks": banks, "columns": columns}


def of_chunk_flags(pixels=3, chunks=2, banks=2, width=4):
    ports = {
        "data": vector(width), "place": vector(chunks), "flag_addr": index(banks * pixels), "bank": index(banks),
        "freed_bank": index(banks), "full": vector(banks), "peek_addr": index(banks * pixels), "peek": vector(chunks),
    }  # fmt: skip
    return bits_of("clk rst write completes free_bank") | ports | {"pixels": pixels, "chunks": chunks, "banks": banks}


def of_scanner(
    parts=2, width=3, padding=0, chunks=2, lanes=2, timesteps=2, scans=2, flush=0, banks=2, columns=1, cropping=None
):  # fmt: skip
    return clocked(
        lanes * timesteps, event_width(chunks * lanes, timesteps), parts=parts, width=width, padding=padding, chunks=chunks,
        lanes=lanes, timesteps=timesteps, scans=scans, flush=flush, banks=banks, columns=columns, cropping=cropping,
    )  # fmt: skip


def of_scan_position(parts=2, width=3, padding=0, chunks=2, scans=2, flush=0, banks=2):
    ports = {
        "full": vector(banks), "freed_bank": index(banks), "pixel_addr": index(banks * width),
        "dst": Stream(position_width(banks * width * chunks)),
    }  # fmt: skip
    numbers = {"parts": parts, "width": width, "padding": padding, "chunks": chunks, "scans": scans, "flush": flush}
    return bits_of("clk rst freed") | ports | numbers | {"banks": banks}


def of_span_select(chunks=5, words=60):
    streams = clocked(position_width(words), span_width(chunks, words))
    return streams | {"flags": vector(chunks), "chunks": chunks, "words": words}


def of_chunk_select(chunks=5, words=60):
    streams = clocked(span_width(chunks, words), chunk_width(chunks))
    return streams | {"read_addr": index(words), "ends_part": bit(), "chunks": chunks, "words": words}


def of_channel_select(chunks=2, lanes=2, timesteps=2, columns=1):
    streams = clocked(chunk_width(chunks), event_width(chunks * lanes, timesteps))
    sizes = {"chunks": chunks, "lanes": lanes, "timesteps": timesteps, "columns": columns}
    return streams | {"word": vector(lanes * timesteps)} | sizes


def of_shell_control():
    names = "clk rst write bad_access ended_early ended_late ended sent active core_rst enable"
    return bits_of(names) | {"write_index": index(2), "write_data": vector(32), "values": vector(192)}


def of_take_field(width=9, low=2, high=5, is_signed=False):
    part = signed(high - low) if is_signed else vector(high - low)
    return {"vector": vector(width), "part": part, "low": low, "high": high, "is_signed": is_signed}


def of_take_whole(width=4):
    return {"vector": vector(width), "part": signed(width), "low": -(2 ** (width - 1)), "high": 2 ** (width - 1)}


def of_take_bit(width=4, index=3):
    return {"vector": vector(width), "part": bit(), "index": index}


def of_fields(count=3, width=4):
    return {"parts": [signed(width) for _ in range(count)], "vector": vector(count * width)}


def of_weight_fetch(
    frame_rows=2, scans=2, positions=3, flush=0, channels=5, timesteps=2, width=4, least_bank=2048, repeats=1, repeated_scans=1
):
    return clocked(
        event_width(channels, timesteps), width + timesteps + 1, frame_rows=frame_rows, scans=scans, positions=positions,
        flush=flush, channels=channels, timesteps=timesteps, weights=table(width, scans * channels), least_bank=least_bank,
        repeats=repeats, repeated_scans=repeated_scans,
    )  # fmt: skip


def of_beat_place(pixels=3, chunks=4, banks=2, columns=2):
    counts = {"pixel": pixels, "chunk": chunks, "column": columns}
    words = dict.fromkeys(("word_base", "next_word_base", "write_addr"), banks * pixels * chunks)
    flags = dict.fromkeys(("flag_base", "next_flag_base", "flag_addr"), banks * pixels)
    ports = {name: index(count) for name, count in (counts | words | flags).items()} | {"place": vector(chunks)}
    sizes = {"pixels": pixels, "chunks": chunks, "banks": banks, "columns": columns}
    return bits_of("clk rst write") | ports | sizes


def of_scan_base(frame_rows=2, scans=2, positions=3, flush=1, channels=5, repeats=1, repeated_scans=1):
    counts = {"base": scans * channels, "position": positions, "row": frame_rows, "flushing": flush + 1}
    sizes = {
        "frame_rows": frame_rows, "scans": scans, "positions": positions, "flush": flush, "channels": channels,
        "repeats": repeats, "repeated_scans": repeated_scans,
    }  # fmt: skip
    return bits_of("clk rst advance") | {name: index(count) for name, count in counts.items()} | sizes


def crop_of(rows=3, columns=4, groups=2, kept_rows=2, kept_columns=3):
    return Crop(rows=rows, columns=columns, groups=groups, kept_rows=kept_rows, kept_columns=kept_columns)


def of_crop(**numbers):
    return clocked(5, 5, sizes=crop_of(**numbers))


def of_current_pool(fields=2, rows=4, columns=5, groups=2, bits=4):
    pool_of_currents = CurrentPool(op="max", kernel=(2, 2), bits=4)
    return clocked(
        fields * 4, fields * bits, fields=fields, rows=rows, columns=columns, groups=groups, bits=bits, pool=pool_of_currents
    )  # fmt: skip


def of_delay_line(places=3, width=4):
    return bits_of("clk rst keep") | {"word": vector(width), "delayed": vector(width), "places": places}


def of_window_axis():
    ports = {"at": AxisPosition("ends", "last"), "opening": AxisPosition("begins")}
    return bits_of("clk rst step") | ports | {"windows": Windows(size=5, kernel=2, stride=2)}


def of_open_windows(bits=3):
    windows = Windows(size=5, kernel=2, stride=2)
    ports = {name: vector(3) for name in ("stored", "beat", "kept", "whole")}
    return ports | {"opening": opening_of(windows), "windows": windows, "bits": bits}


# The blocks of the serial bridge.


def vectors_of(**widths):
    return {name: vector(width) for name, width in widths.items()}


def of_answer_header():
    return bits_of("clk begins puts fails") | vectors_of(number=8, status=8, place=8, head=32)


def of_board_core(**line):
    return bits_of("clk rst rxd txd") | {"shell": shell_of(), "line": line_of(**line)}


def of_bridge_answer():
    names = "clk begins spoken sound refused done failed empty is_last stalled given write"
    widths = vectors_of(state=3, kind=4, number=8, value=32, index=8, result=32, write_addr=8, write_data=32, head=32)
    return bits_of(names) | widths


def of_bridge_control(address_bits=12, timeout=9):
    names = "clk rst complete busy read asks writes done failed load ending restart empty write start replying"
    widths = {"head": 32, "read_addr": 8, "word": 32, "address": address_bits, "value": 32, "unused": 2}
    widths |= {"write_addr": 8, "write_data": 32, "answer": 32}
    return bits_of(names) | vectors_of(**widths) | {"results": AxiStream(32), "timeout": timeout}


def of_bus_master(address_bits=12):
    ports = vectors_of(address=address_bits, data=32, value=32)
    return bits_of("clk rst asks writes done failed") | ports | {"bus": AxiLite(address_bits)}


def of_packet_receiver(timeout=9):
    ports = vectors_of(data=8, write_addr=8, write_data=32, head=32)
    return bits_of("clk rst arrived broken busy write complete") | ports | {"timeout": timeout}


def of_packet_sender():
    ports = vectors_of(head=32, read_addr=8, read_data=32)
    return bits_of("clk rst start read active") | ports | {"dst": Stream(32)}


def of_request_fields():
    ports = vectors_of(head=32, number=8, kind=4, unused=2, length=8)
    return bits_of("clk rst offered begins spoken sound sends") | ports


def of_serial_crc32():
    return bits_of("clk restart write busy") | vectors_of(data=32, crc=32)


def of_stall_timer(timeout=3):
    return bits_of("clk waits expired") | {"timeout": timeout}


def of_uart_bridge(address_bits=12, image_bits=8, **line):
    streams = {"images": AxiStream(image_bits), "results": AxiStream(32)}
    return bits_of("clk rst rxd txd") | streams | {"bus": AxiLite(address_bits), "line": line_of(**line)}


def of_uart_receiver(divider=5):
    return bits_of("clk rst rxd arrived broken") | {"data": vector(8), "divider": divider}


def of_uart_transmitter(divider=5):
    return bits_of("clk rst txd") | {"src": Stream(8), "divider": divider}


def of_word_beats(bits=8):
    return bits_of("clk rst load ending restart empty") | vectors_of(word=32, unused=2) | {"dst": AxiStream(bits)}


def of_word_bytes():
    return clocked(32, 8)


BLOCKS = {
    accelerator: of_accelerator, accumulator: of_accumulator, activity: of_activity, adder_step: of_adder_step,
    axi_lite: of_axi_lite, axi_shell: of_axi_shell, banked_memory: of_banked_memory, beat_spacing: of_beat_spacing,
    channel_select: of_channel_select, chunk_flags: of_chunk_flags, chunk_select: of_chunk_select,
    column_position: of_column_position, column_start: of_column_start, column_tags: of_column_tags, crc32: of_crc32,
    credit_counter: of_credit_counter, crop: of_crop, current_pool: of_current_pool, delay_line: of_delay_line,
    open_windows: of_open_windows, window_axis: of_window_axis,
    current_sum: of_current_sum, dense_core: lambda **numbers: of_stage(dense_of(**numbers)),
    dense_fc: lambda **numbers: of_stage(dense_fc_of(**numbers)), encoder: lambda **numbers: of_stage(encoder_of(**numbers)),
    event_queue: of_fifo, fc_accumulator: of_fc_accumulator, fifo: of_fifo, group_walk: of_group_walk,
    image_intake: of_image_intake, image_memory: of_image_memory,
    image_window: of_image_window, lif: of_lif, load_control: of_load_control, loaded_memory: of_loaded_memory,
    leak: of_leak, class_scores: of_class_scores, neuron_score: of_neuron_score, spike_history: of_spike_history,
    line_buffer: of_line_buffer, lowest_one: of_lowest_one, mac_array: of_mac_array, membrane_value: of_membrane_value,
    neuron: of_neuron, neuron_pipeline: of_neuron_pipeline, pack: of_fields,
    pass_memory: of_pass_memory, pixel_words: of_pixel_words,
    pool: lambda **numbers: of_stage(pool_of(**numbers)),
    ram: of_ram, readout: lambda **numbers: of_stage(readout_of(**numbers)), result_output: of_result_output, rom: of_rom,
    row_buffer: of_row_buffer, row_intake: of_row_intake,
    scan_position: of_scan_position, scanner: of_scanner, shell_control: of_shell_control,
    span_select: of_span_select, sum_window: of_sum_window, tag_line: of_tag_line,
    sparse_conv: lambda **numbers: of_stage(conv_of(**numbers)), sparse_fc: lambda **numbers: of_stage(fc_of(**numbers)),
    take_bit: of_take_bit, take_field: of_take_field, take_whole: of_take_whole, timestep_select: of_timestep_select,
    unpack: of_fields, weight_fetch: of_weight_fetch, beat_place: of_beat_place, scan_base: of_scan_base,
    window_position: of_window_position,
    answer_header: of_answer_header, board_core: of_board_core, bridge_answer: of_bridge_answer,
    bridge_control: of_bridge_control, bus_master: of_bus_master, packet_receiver: of_packet_receiver,
    packet_sender: of_packet_sender, request_fields: of_request_fields, serial_crc32: of_serial_crc32,
    stall_timer: of_stall_timer, uart_bridge: of_uart_bridge, uart_receiver: of_uart_receiver,
    uart_transmitter: of_uart_transmitter, word_beats: of_word_beats, word_bytes: of_word_bytes,
}  # fmt: skip
"""Each block of rtl/, and what gives arguments that it takes."""

NUMBERS = {
    accumulator: {"height": 1, "width": 1, "parts": 1, "padding": 0, "timesteps": 1, "lanes": 1, "weight_bits": 1,
                  "current_bits": 1},
    adder_step: {"lanes": 1, "groups": 1, "padded": 2, "bits": 1},
    banked_memory: {"bank_words": 2},
    beat_place: {"pixels": 1, "chunks": 1, "banks": 2, "columns": 1},
    scan_base: {"frame_rows": 1, "scans": 1, "positions": 1, "flush": 0, "channels": 1, "repeats": 1, "repeated_scans": 1},
    beat_spacing: {"cycles": 2},
    channel_select: {"chunks": 1, "lanes": 1, "timesteps": 1, "columns": 1},
    chunk_flags: {"pixels": 1, "chunks": 1, "banks": 2},
    chunk_select: {"chunks": 1, "words": 1},
    column_position: {"height": 1, "width": 1, "parts": 1, "padding": 0, "groups": 1},
    column_start: {"parts": 1, "timesteps": 1, "lanes": 1, "current_bits": 1},
    column_tags: {"positions": 1},
    credit_counter: {"places": 1},
    current_sum: {"lanes": 1, "words": 0, "timesteps": 1, "repeat": 1, "current_bits": 1},
    current_pool: {"fields": 1, "rows": 1, "columns": 1, "groups": 1, "bits": 4},
    delay_line: {"places": 1},
    open_windows: {"bits": 1},
    event_queue: {"depth": 1},
    fc_accumulator: {"parts": 1, "timesteps": 1, "lanes": 1, "weight_bits": 1, "current_bits": 1},
    fifo: {"depth": 1},
    group_walk: {"columns": 1, "groups": 1},
    image_intake: {"beats": 1},
    image_memory: {"words": 1, "scans": 1},
    image_window: {"height": 1, "width": 1, "groups": 1, "pixel_bits": 1},
    lif: {"lanes": 1, "timesteps": 1, "rows": 1, "columns": 1, "passes": 1},
    line_buffer: {"words": 1, "parts": 1, "timesteps": 1, "lanes": 1, "current_bits": 1},
    load_control: {"pieces": 1},
    mac_array: {"lanes": 1, "columns": 1, "repeat": 1, "inputs": 1, "input_bits": 1, "current_bits": 1},
    leak: {"multiplier": 0, "shift": 0},
    class_scores: {"classes": 1},
    neuron: {"multiplier": 0, "shift": 0, "potential_bits": 1},
    neuron_pipeline: {"lanes": 1, "timesteps": 1},
    neuron_score: {"timesteps": 1, "passes": 1},
    spike_history: {"lanes": 1, "timesteps": 1},
    pass_memory: {"beats": 1, "passes": 2},
    pixel_words: {"pixels": 1, "pixel_bits": 1, "word_bits": 1},
    ram: {"depth": 1},
    result_output: {"classes": 1, "score_bits": 1},
    row_buffer: {"pixels": 1, "chunks": 1, "banks": 2, "columns": 1},
    row_intake: {"width": 1, "banks": 2},
    scanner: {"parts": 1, "width": 1, "padding": 0, "chunks": 1, "lanes": 1, "timesteps": 1, "scans": 1, "flush": 0, "banks": 2,
              "columns": 1},
    scan_position: {"parts": 1, "width": 1, "padding": 0, "chunks": 1, "scans": 1, "flush": 0, "banks": 2},
    span_select: {"chunks": 1, "words": 1},
    sum_window: {"timesteps": 1, "lanes": 1, "weight_bits": 1, "current_bits": 1},
    tag_line: {"steps": 1},
    take_bit: {"index": 0},
    take_field: {"low": 0, "high": 3},
    timestep_select: {"inputs": 1, "input_bits": 1, "timesteps": 2},
    weight_fetch: {"frame_rows": 1, "scans": 1, "positions": 1, "flush": 0, "channels": 1, "timesteps": 1, "least_bank": 2,
                   "repeats": 1, "repeated_scans": 1},
    window_position: {"height": 1, "width": 1, "groups": 1},
    bridge_control: {"timeout": 1},
    packet_receiver: {"timeout": 1},
    stall_timer: {"timeout": 1},
    uart_receiver: {"divider": 4},
    uart_transmitter: {"divider": 4},
}  # fmt: skip
"""The least that each number among the parameters may be."""

RECORDS = {
    conv_of: {"height": 1, "width": 1, "parts": 1, "chunks": 1, "lanes_in": 1, "outputs": 1, "lanes": 1, "timesteps": 1,
              "passes": 1, "banks": 2, "queue_depth": 1},
    crop_of: {"rows": 1, "columns": 1, "groups": 1, "kept_rows": 1, "kept_columns": 1},
    dense_of: {"height": 1, "width": 1, "channels": 1, "image_bits": 1, "outputs": 1, "lanes": 1, "timesteps": 1, "passes": 1,
               "frames": 1},
    dense_fc_of: {"height": 1, "width": 1, "channels": 1, "image_bits": 1, "outputs": 1, "lanes": 1, "timesteps": 1, "passes": 1,
                  "frames": 1, "multipliers": 1},
    encoder_of: {"height": 1, "width": 1, "lanes": 1, "image_bits": 1, "timesteps": 1, "register_bits": 4, "feedback": 1},
    fc_of: {"parts": 1, "chunks": 1, "lanes_in": 1, "outputs": 1, "lanes": 1, "timesteps": 1, "passes": 1, "banks": 2,
            "queue_depth": 1},
    lif_of: {"multiplier": 0, "shift": 0, "current_bits": 1, "potential_bits": 1, "theta_bits": 1},
    pool_of: {"height": 1, "width": 1, "groups": 1, "lanes": 1, "timesteps": 1},
    readout_of: {"outputs": 1, "lanes": 1, "timesteps": 1, "passes": 1, "classes": 1, "potential_bits": 1},
    lambda: Layout(constants=1, commands=1, states=1): {"constants": 1, "commands": 1, "states": 1},
    shell_of: {"image_beats": 1, "address_bits": 3},
    line_of: {"divider": 4, "timeout": 64},
}  # fmt: skip

NO_NUMBERS = {
    "bias", "weights", "states", "neuron", "theta", "table", "identity", "layout", "stage", "stages", "shell", "reset",
    "kernel", "out_rows", "out_columns", "image_signed", "input_signed", "is_signed", "leaks", "gives", "score", "rule",
    "pool", "windows", "current_pool", "spike_sums", "sizes", "cropping", "line",
}  # fmt: skip
"""Parameters of which test_what_cannot_be and the records' own tests have the wrong values."""


def all_blocks():
    modules = [importlib.import_module(f"duospike.rtl.{info.name}") for info in pkgutil.iter_modules(duospike.rtl.__path__)]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, block_decorator)]
    return {made.func.__name__: made for made in found}


def parameters(made):
    return {name for name, value in inspect.signature(made.func).parameters.items() if value.kind is value.KEYWORD_ONLY}


def test_every_block_and_parameter_is_here():
    """No block without a check gets in; what is no port goes by its name."""
    assert {made.func.__name__ for made in BLOCKS} == set(all_blocks())
    for made, arguments in BLOCKS.items():
        ports = {name for name, value in arguments().items() if is_port(value)}
        assert set(arguments()) - ports == parameters(made), made.func.__name__
        assert parameters(made) - NO_NUMBERS == NUMBERS.get(made, {}).keys() or made is take_whole
    for made, least in RECORDS.items():
        record = made()
        # The windows of a pool have checks of their own.
        pairs = {"stride", "padding"} if made is pool_of else set()
        assert {field.name for field in fields(record)} - NO_NUMBERS - pairs == set(least) - NO_NUMBERS, record


def is_port(value):
    if isinstance(value, list):
        return all(isinstance(part, _Signal) for part in value)
    return isinstance(value, _Signal | Stream | AxiStream | AxiLite | Load | LineAccess | AxisPosition)


def refused(where, name, value, build):
    with pytest.raises(DesignError) as error:
        build()
    message = str(error.value)
    assert message.startswith(f"{where}: {name} {value!r}; allowed: ") and "\n" not in message, message


# A numpy integer would wrap where the hardware is computed, and True is a number for Python.
NO_INTEGERS = [None, True, 2.0, "3", np.int64(3)]


@pytest.mark.parametrize(
    ("made", "name", "least"),
    [(made, name, least) for made, numbers in NUMBERS.items() for name, least in numbers.items()],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_numbers_that_a_block_cannot_have(made, name, least):
    arguments = BLOCKS[made]()
    for value in [least - 1, least - 1000, *NO_INTEGERS]:
        refused(made.__name__, name, value, lambda value=value: made(**arguments | {name: value}))


@pytest.mark.parametrize(
    ("made", "name", "least"), [(made, name, least) for made, numbers in RECORDS.items() for name, least in numbers.items()],
    ids=lambda value: getattr(value, "__name__", None),
)  # fmt: skip
def test_numbers_that_a_record_cannot_have(made, name, least):
    record = made()
    where = {"Lif": "lif", "DenseCore": "dense_core", "DenseFc": "dense_fc", "SparseConv": "sparse_conv", "SparseFc": "sparse_fc",
             "AxiShell": "axi_shell"}.get(type(record).__name__, type(record).__name__.lower())  # fmt: skip
    for value in [least - 1, least - 1000, *NO_INTEGERS]:
        refused(where, name, value, lambda value=value: replace(record, **{name: value}))


MISFIT = r"^\w+: \w+ of \d+ bits, (un)?signed; allowed: \d+ bits, (un)?signed$"


@pytest.mark.parametrize("made", BLOCKS, ids=lambda made: made.__name__)
def test_ports_of_another_width_or_sign(made):
    """Each vector and each payload, a bit wider, and of the other sign."""
    names = [name for name, port in BLOCKS[made]().items() if len(payloads(port)) == 1]
    tried = 0
    for name in set(names) - FREE.get(made.__name__, set()):
        arguments = BLOCKS[made]()
        made(**arguments)
        (member,) = payloads(arguments[name])
        port = arguments[name] if member is None else getattr(arguments[name], member)
        bits, of_its_sign, of_the_other = len(port), *((signed, vector) if port.min < 0 else (vector, signed))
        for wrong in (of_its_sign(bits + 1), of_the_other(bits)):
            arguments = BLOCKS[made]()
            if member is None:
                arguments[name] = wrong
            else:
                setattr(arguments[name], member, wrong)
            with pytest.raises(DesignError, match=MISFIT) as error:
                made(**arguments)
            assert str(error.value).partition(":")[0] in (made.__name__, "activity")
            tried += 1
    assert tried or made.__name__ in WITHOUT_VECTORS


def payloads(port):
    """The member of a port whose width the parameters fix: None for the port itself."""
    if isinstance(port, Stream):
        return ["data"]
    if isinstance(port, AxiStream):
        return ["tdata"]
    return [None] if isinstance(port, _Signal) and port.max is not None else []


FREE = {
    "image_intake": {"src", "dst"}, "take_field": {"vector", "part"}, "take_bit": {"vector"}, "take_whole": {"part"},
    "load_control": {"write_index"}, "shell_control": {"write_index"}, "lowest_one": {"flags"},
    "chunk_flags": {"data"},
    "neuron": {"current"}, "class_scores": {"given"}, "row_intake": {"rows_out"},
    "bridge_control": {"address"},
}  # fmt: skip
"""Ports that may be wider than the least, or of whose width the others' follows."""
WITHOUT_VECTORS = {
    "take_field", "take_bit", "credit_counter", "beat_spacing", "tag_line", "window_axis", "board_core", "stall_timer",
}  # fmt: skip


STAGES = {dense_core: dense_of, dense_fc: dense_fc_of, sparse_conv: conv_of, sparse_fc: fc_of}


@pytest.mark.parametrize("made", STAGES, ids=lambda made: made.__name__)
@pytest.mark.parametrize("name", ["bias", "weights", "theta", "leaks"])
def test_tables_of_another_size(made, name):
    stage = STAGES[made]()
    stage = replace(stage, neuron=replace(stage.neuron, leaks=table(stage.lanes, stage.groups)))
    in_neuron = name in ("theta", "leaks")
    held = getattr(stage.neuron if in_neuron else stage, name)
    for wrong in (table(held.width + 1, held.depth), table(held.width, held.depth + 1), table(held.width, held.depth - 1)):
        changes = {"neuron": replace(stage.neuron, **{name: wrong})} if in_neuron else {name: wrong}
        words, right = (f"{one.depth} words of {one.width} bits" for one in (wrong, held))
        with pytest.raises(DesignError, match=rf"^{made.__name__}: {name} of {words}; allowed: {right}$"):
            replace(stage, **changes)


def wrong(made, **changes):
    return lambda: made(**BLOCKS[made]() | changes)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: lif_of(reset="hard"), "lif: reset 'hard'; allowed: subtract, subtract_delayed, zero, none"),
        (lambda: lif_of(gives="membranes"), "lif: gives 'membranes'; allowed: spikes, last_membrane, max_membrane"),
        (wrong(lif, neuron=lif_of(leaks=table(3, 2))), "lif: leaks of 2 words of 3 bits; allowed: 2 words of 2 bits"),
        (wrong(lif, neuron=lif_of(leaks=table(2, 3))), "lif: leaks of 3 words of 2 bits; allowed: 2 words of 2 bits"),
        (lambda: lif(**of_lif(timesteps=1, leaks=table(2, 2))), "lif: timesteps_with_leaks 1; allowed: 2 or more"),
        (wrong(neuron, theta=None), "neuron: a threshold or a spike is missing; allowed: both where the reset needs them"),
        (wrong(neuron, spiked=None), "neuron: a threshold or a spike is missing; "),
        (wrong(neuron, reset="none"), "neuron: a threshold or a spike is missing; "),
        (lambda: readout_of(score="votes"), "readout: score 'votes'; allowed: count, first_spike, last_membrane, max_membrane"),
        (lambda: readout_of(score="max_membrane"), "readout: classes 3; allowed: 6, one for each output with max_membrane"),
        (lambda: lif_of(multiplier=3), "lif: multiplier 3; allowed: 0 to 2"),
        (lambda: lif_of(current_bits=5), "lif: current_bits 5; allowed: 1 to 4"),
        (lambda: lif_of(theta_bits=5), "lif: theta_bits 5; allowed: 1 to 4"),
        (wrong(lif, neuron=lif_of(lanes=3)), "lif: theta of 2 words of 9 bits; allowed: 2 words of 6 bits"),
        (lambda: pool_of(width=0), "pool: width 0; allowed: 1 or more"),
        (lambda: readout_of(classes=4), "readout: classes 4; allowed: divisors of 6, the number of outputs"),
        (lambda: readout_of(lanes=7), "readout: lanes 7; allowed: 1 to 6"),
        (lambda: replace(dense_of(), lanes=4), "dense_core: lanes 4; allowed: 1 to 3"),
        (lambda: replace(dense_of(), image_signed=1), "dense_core: image_signed 1; allowed: False, True"),
        (lambda: replace(dense_of(), frames=3), "dense_core: frames 3; allowed: 1, 2"),
        (lambda: replace(dense_fc_of(), multipliers=3), "layer dense_fc: 3 multipliers; allowed: 1 to 2, the channels of "),
        (lambda: replace(dense_fc_of(), multipliers=26), "layer dense_fc: 26 multipliers; allowed: 1 to 2, the channels"),
        (wrong(pixel_words, word_bits=6), "pixel_words: word_bits 6; allowed: less than 4, or a multiple from 8 up"),
        (wrong(pixel_words, word_bits=4), "pixel_words: word_bits 4; allowed: less than 4, or a multiple from 8 up"),
        (lambda: crop_of(kept_rows=3, kept_columns=4), "crop: kept_columns 4; allowed: 1 to 3"),
        (wrong(scanner, cropping=crop_of(groups=1)), "scanner: 6 beats are kept of a map; allowed: 12, those of its parts"),
        (wrong(pixel_words, word_bits=24), "pixel_words: word_bits 24; allowed: 1 to 20"),
        (wrong(current_sum, bias=table(9, 2)), "current_sum: bias of 2 words of 9 bits; allowed: 2 words of 10 bits"),
        (lambda: replace(dense_of(), kernel=3), "dense_core: kernel 3; allowed: (rows, columns), each 1 to 7"),
        (lambda: replace(conv_of(), kernel=(3, True)), "sparse_conv: kernel (3, True); allowed: (rows, columns), each 1 to 7"),
        (lambda: replace(conv_of(), kernel=(8, 1)), "sparse_conv: kernel (8, 1); allowed: (rows, columns), each 1 to 7"),
        (wrong(image_window, kernel=(3, 0)), "image_window: kernel (3, 0); allowed: (rows, columns), each 1 to 7"),
        (wrong(accumulator, kernel=(3, 3, 3)), "accumulator: kernel (3, 3, 3); allowed: (rows, columns), each 1 to 7"),
        (wrong(window_position, kernel=[3, 3]), "window_position: kernel [3, 3]; allowed: (rows, columns), each 1 to 7"),
        (wrong(column_position, kernel=(0, 3)), "column_position: kernel (0, 3); allowed: (rows, columns), each 1 to 7"),
        (lambda: replace(dense_of(), out_rows=range(4)), "dense_core: out_rows range(0, 4); allowed: a range of some of 0 to 2"),
        (lambda: replace(conv_of(), out_columns=range(0)), "sparse_conv: out_columns range(0, 0); allowed: a range of some of 0"),
        (wrong(image_window, out_rows=range(-1, 2)), "image_window: out_rows range(-1, 2); allowed: a range of some of 0 to 2"),
        (wrong(window_position, out_columns=(0, 1)), "window_position: out_columns (0, 1); allowed: a range of some of 0 to 3"),
        (wrong(accumulator, out_columns=range(2, -1, -1)), "accumulator: out_columns range(2, -1, -1); allowed: a range of some"),
        (wrong(column_position, out_rows=range(0, 9, 3)), "column_position: out_rows range(0, 9, 3); allowed: a range of some"),
        (wrong(column_position, line=LineAccess(9, (3, 3), 2)), "column_position: line_addr of 4 bits, unsigned; allowed: 3 "),
        (wrong(column_start, kernel=2), "column_start: kernel 2; allowed: (rows, columns), each 1 to 7"),
        (wrong(column_tags, kernel=2), "column_tags: kernel 2; allowed: (rows, columns), each 1 to 7"),
        (wrong(sum_window, kernel=(9, 9)), "sum_window: kernel (9, 9); allowed: (rows, columns), each 1 to 7"),
        (wrong(line_buffer, kernel=None), "line_buffer: kernel None; allowed: (rows, columns), each 1 to 7"),
        (lambda: line_buffer(**of_line_buffer() | {"kernel": (1, 3), "parts": 1}), "line_buffer: waiting_rows 0; allowed: 1 or "),
        (lambda: accumulator(**of_accumulator(groups=1) | {"padding": 1}), "accumulator: padding 1; allowed: 3 or more"),
        (wrong(accumulator, bias=table(11, 2)), "accumulator: bias of 2 words of 11 bits; allowed: 2 words of 12 bits"),
        (wrong(fc_accumulator, bias=table(13, 2)), "fc_accumulator: bias of 2 words of 13 bits; allowed: 2 words of 12 bits"),
        (wrong(mac_array, bias=table(18, 3)), "mac_array: bias of 3 words of 18 bits; allowed: 2 words of 18 bits"),
        (wrong(mac_array, weights=table(31, 2)), "mac_array: weights of 2 words of 31 bits; allowed: 2 words of 30 bits"),
        (wrong(mac_array, input_signed=None), "mac_array: input_signed None; allowed: False, True"),
        (wrong(take_field, is_signed=0), "take_field: is_signed 0; allowed: False, True"),
        (wrong(take_field, high=10), "take_field: high 10; allowed: 3 to 9"),
        (wrong(take_bit, index=4), "take_bit: index 4; allowed: 0 to 3"),
        (wrong(take_whole, low=-16, high=16), "take_whole: vector of 4 bits, unsigned; allowed: 5 bits, unsigned"),
        (wrong(adder_step, padded=1), "adder_step: padded 1; allowed: 2 or more"),
        (wrong(banked_memory, bank_words=6), "banked_memory: bank_words 6; allowed: 2, 4, 8"),
        (wrong(banked_memory, bank_words=16), "banked_memory: bank_words 16; allowed: 2, 4, 8"),
        (wrong(banked_memory, table=table(5, 2)), "banked_memory: words 2; allowed: 3 or more"),
        (wrong(weight_fetch, weights=table(4, 9)), "weight_fetch: weights of 9 words of 4 bits; allowed: 10 words of 4 bits"),
        (wrong(result_output, score_bits=33), "result_output: score_bits 33; allowed: 1 to 32"),
        (wrong(image_intake, src=AxiStream(4)), "image_intake: data_bits 4; allowed: 5 or more"),
        (wrong(loaded_memory, load=Load(17)), "loaded_memory: pieces_on_the_bus 17; allowed: 18 or more"),
        (wrong(load_control, load=Load(8)), "load_control: load_position of 4 bits, unsigned; allowed: 3 bits, unsigned"),
        (wrong(load_control, write_index=vector(1)), "load_control: index_bits 1; allowed: 2 or more"),
        (wrong(axi_lite, bus=AxiLite(5)), "axi_lite: address_bits 5; allowed: 6 or more"),
        (wrong(axi_lite, identity=table(32, 4)), "axi_lite: identity of 4 words of 32 bits; allowed: 3 words of 32 bits"),
        (wrong(axi_shell, s_axi=AxiLite(13)), "axi_shell: awaddr of 13 bits, unsigned; allowed: 12 bits, unsigned"),
        (lambda: replace(shell_of(), identity=table(32, 1)), "axi_shell: identity of 1 words of 32 bits; allowed: 8 words of"),
        (wrong(bridge_control, address=signed(12)), "bridge_control: address of 12 bits, signed; allowed: 12 bits, unsigned"),
        (wrong(bridge_control, address=vector(2)), "bridge_control: address_bits 2; allowed: 3 to 31"),
        (wrong(uart_bridge, bus=AxiLite(32)), "bridge_control: address_bits 32; allowed: 3 to 31"),
        (wrong(uart_bridge, images=AxiStream(24)), "uart_bridge: images of 24 bits, unsigned; allowed: 32 bits, unsigned"),
        (wrong(word_beats, dst=AxiStream(4)), "word_beats: dst of 4 bits, unsigned; allowed: 8 bits, unsigned"),
        (lambda: line_of(divider=10, timeout=159), "line: timeout 159; allowed: 160 or more"),
        (lambda: replace(encoder_of(), register_bits=3), "encoder: register_bits 3; allowed: 4 or more"),
        (lambda: encoder_of(feedback=256), "encoder: feedback 256; allowed: 1 to 255"),
        (lambda: replace(encoder_of(), states=table(31, 3)), "encoder: states of 3 words of 31 bits; allowed: 3 words of 32"),
        (lambda: Table("a.hex", 0, (0,)), "table a.hex: width 0; allowed: 1 or more"),
        (lambda: Table("a.hex", 1, ()), "table a.hex: words 0; allowed: 1 or more"),
        (lambda: LoadedTable("a", 1, (0,), -1), "table a: first -1; allowed: 0 or more"),
        (wrong(rom, table=Table("a.hex", 7, (0, 127, 128, 0, 0))), "table a.hex: word 2 is 128; allowed: 0 to 127"),
        (wrong(rom, table=Table("a.hex", 7, (0, -1, 0, 0, 0))), "table a.hex: word 1 is -1; allowed: 0 to 127"),
        (wrong(rom, table=table(7, 9)), "rom: read_addr of 3 bits, unsigned; allowed: 4 bits, unsigned"),
        (wrong(pack, parts=[signed(4), signed(4), vector(4)]), "pack: parts of 2 kinds; allowed: one width and sign for all"),
        (wrong(unpack, parts=[signed(4), signed(3), signed(4)]), "unpack: parts of 2 kinds; allowed: one width and sign for all"),
        (wrong(unpack, parts=[]), "unpack: parts 0; allowed: 1 or more"),
        (lambda: Stream(0), "Stream: width 0; allowed: 1 or more"),
        (lambda: AxiStream(0), "AxiStream: width 0; allowed: 1 or more"),
        (lambda: data_bits(0), "AXI4-Stream: bits 0; allowed: 1 or more"),
        (lambda: AxiLite(2), "AxiLite: address_bits 2; allowed: 3 or more"),
        (lambda: Load(0), "Load: pieces 0; allowed: 1 or more"),
        (lambda: words_of_bank(9, 1), "memory in banks: least 1; allowed: 2 or more"),
        (lambda: words_of_bank(0), "memory in banks: depth 0; allowed: 1 or more"),
        (lambda: Bits("B", 31, 2, ""), "bits B: width 2; allowed: 1 to 1"),
        (lambda: Bits("B", 32, 1, ""), "bits B: low 32; allowed: 0 to 31"),
        (lambda: Register("R", "other", ""), "register R: kind 'other'; allowed: constant, command, status"),
        (lambda: Register("R", CONSTANT, "", value=2**32), "register R: value 4294967296; allowed: 0 to 4294967295"),
        (lambda: Register("R", COMMAND, "", (Bits("A", 0, 2, ""), Bits("B", 1, 1, ""))), "register R: bits overlap; allowed: "),
        (lambda: register_map([], (0, 1, 0), bytes(15), 1, 1), "register map: identity_bytes 15; allowed: 16 or more"),
        (wrong(accelerator, stages={}), "accelerator: stages 0; allowed: 1 or more"),
        (wrong(accelerator, stages={"conv1": lif_of()}), "accelerator: stage conv1 is a Lif; allowed: DenseCore, "),
        (wrong(accelerator, stages=chain() | {"pool1": pool_of(lanes=1)}),
         "accelerator: conv1 gives beats of 4 bits; allowed: 2, which pool1 takes"),
        (lambda: replace(shell_of(), stages=chain() | {"pool1": pool_of(lanes=1)}), "accelerator: conv1 gives beats of 4 bits; "),
    ],
)  # fmt: skip
def test_what_cannot_be(build, said):
    with pytest.raises(DesignError) as error:
        build()
    assert str(error.value).startswith(said)


EXTREMES = [
    (accumulator, {"height": 1, "width": 1, "kernel": (5, 5), "timesteps": 1, "lanes": 1, "weight_bits": 1, "current_bits": 1}),
    (accumulator, {"height": 1, "width": 1, "kernel": (1, 1), "groups": 1, "lanes": 9, "parts": 7}),
    (fc_accumulator, {"parts": 1, "timesteps": 1, "lanes": 1, "weight_bits": 1, "current_bits": 1, "groups": 1}),
    (adder_step, {"lanes": 1, "groups": 1, "padded": 1, "bits": 1}), (adder_step, {"groups": 3, "padded": 16}),
    (axi_lite, {"constants": 1, "commands": 1, "states": 1, "address_bits": 4}), (axi_lite, {"states": 1019}),
    (banked_memory, {"depth": 3, "bank_words": 2, "width": 1}), (banked_memory, {"depth": 33, "bank_words": 32}),
    (dense_core, {"height": 1, "width": 1, "channels": 1, "image_bits": 1, "kernel": (1, 1), "outputs": 1, "lanes": 1,
                  "timesteps": 1, "weight_bits": 1}),
    (dense_core, {"kernel": (5, 5), "image_bits": 16, "image_signed": True, "lanes": 3, "timesteps": 4, "passes": 16}),
    (dense_core, {"frames": 4, "timesteps": 4}),
    (dense_fc, {"height": 1, "width": 1, "channels": 1, "image_bits": 1, "multipliers": 1, "outputs": 1, "lanes": 1,
                "timesteps": 1, "weight_bits": 1}),
    (dense_fc, {"multipliers": 24, "image_bits": 16, "image_signed": True, "lanes": 3, "timesteps": 4, "passes": 9, "frames": 4}),
    (dense_fc, {"multipliers": 1}), (dense_fc, {"multipliers": 2}), (mac_array, {"has_bias": False}),
    (current_sum, {"lanes": 1, "words": 0, "timesteps": 1, "repeat": 1, "current_bits": 1}),
    (current_sum, {"words": 1, "groups": 1}), (image_memory, {"words": 1, "scans": 1, "width": 1}),
    (pixel_words, {"pixels": 1, "pixel_bits": 2, "word_bits": 1}), (pixel_words, {"word_bits": 20}),
    (pixel_words, {"word_bits": 3}), (timestep_select, {"inputs": 1, "input_bits": 1}),
    (encoder, {"height": 1, "width": 1, "lanes": 1, "image_bits": 8, "timesteps": 1, "feedback": 1, "passes": 1}),
    (encoder, {"feedback": 255, "passes": 64}),
    (event_queue, {"depth": 1, "width": 1}), (event_queue, {"depth": 17}),
    (fifo, {"depth": 1, "width": 1}), (fifo, {"depth": 17}),
    (group_walk, {"columns": 1, "groups": 1}), (image_intake, {"beats": 1, "bits": 8}),
    (image_window, {"height": 1, "width": 1, "kernel": (1, 1), "groups": 1, "pixel_bits": 1}),
    (image_window, {"height": 1, "width": 1, "kernel": (5, 5)}),
    (lif, {"lanes": 1, "timesteps": 1, "rows": 1, "columns": 1, "groups": 1, "multiplier": 0, "shift": 0}),
    (lif, {"multiplier": 1, "shift": 0, "current_bits": 4, "theta_bits": 4, "passes": 3}),
    (column_position, {"height": 1, "width": 1, "parts": 1, "kernel": (1, 1), "groups": 1}), (column_tags, {"kernel": (1, 1)}),
    (column_tags, {"positions": 1, "kernel": (1, 7)}), (column_start, {"kernel": (1, 1)}), (column_start, {"parts": 1}),
    (sum_window, {"kernel": (1, 1), "timesteps": 1, "lanes": 1, "weight_bits": 1, "current_bits": 1}),
    (sum_window, {"kernel": (5, 5)}),
    (line_buffer, {"words": 1, "kernel": (1, 1), "timesteps": 1, "lanes": 1, "current_bits": 1}),
    (line_buffer, {"words": 40, "kernel": (5, 5), "parts": 1}),
    (neuron, {"multiplier": 0, "shift": 0, "current_bits": 1, "theta_bits": 1, "potential_bits": 1}),
    (leak, {"multiplier": 0, "shift": 0, "bits": 1}), (membrane_value, {"bits": 1}),
    (spike_history, {"lanes": 1, "timesteps": 1}),
    (neuron_score, {"timesteps": 1, "passes": 1}), (class_scores, {"classes": 1, "score_bits": 1}),
    (neuron_pipeline, {"lanes": 1, "timesteps": 1}), (pass_memory, {"beats": 1, "passes": 64, "width": 1}),
    (credit_counter, {"places": 1}), (beat_spacing, {"cycles": 2}),
    (load_control, {"pieces": 1}), (loaded_memory, {"width": 1, "depth": 1, "first": 0, "pieces": 1}),
    (lowest_one, {"size": 1}),
    (mac_array, {"lanes": 1, "columns": 1, "repeat": 1, "inputs": 1, "input_bits": 1, "current_bits": 1, "groups": 1,
                 "weight_bits": 1}),
    (mac_array, {"input_signed": True, "inputs": 17}),
    (pack, {"count": 1, "width": 1}), (unpack, {"count": 1, "width": 1}), (unpack, {"count": 40}),
    (pool, {"height": 2, "width": 2, "groups": 1, "lanes": 1, "timesteps": 1}),
    (ram, {"depth": 1, "width": 1}), (rom, {"depth": 1, "width": 1}),
    (readout, {"outputs": 1, "lanes": 1, "timesteps": 1, "classes": 1}), (readout, {"lanes": 6, "classes": 6, "passes": 64}),
    (result_output, {"classes": 1, "score_bits": 1}), (result_output, {"score_bits": 32}),
    (result_output, {"score_bits": 1, "is_signed": False}),
    (row_buffer, {"pixels": 1, "chunks": 1, "banks": 2, "width": 1}), (row_buffer, {"banks": 7}),
    (row_intake, {"width": 1, "banks": 2}), (tag_line, {"steps": 1}),
    (chunk_flags, {"pixels": 1, "chunks": 1, "banks": 2, "width": 1}), (chunk_flags, {"banks": 7}),
    (scanner, {"parts": 1, "width": 1, "chunks": 1, "lanes": 1, "timesteps": 1, "scans": 1}),
    (scanner, {"padding": 9, "flush": 9}), (scanner, {"cropping": crop_of()}),
    (crop, {"rows": 1, "columns": 2, "groups": 1, "kept_rows": 1, "kept_columns": 1}), (crop, {"kept_rows": 3}),
    (scan_position, {"parts": 1, "width": 1, "chunks": 1, "scans": 1}), (scan_position, {"padding": 9, "flush": 9, "banks": 5}),
    (span_select, {"chunks": 1, "words": 2}), (chunk_select, {"chunks": 1, "words": 2}),
    (span_select, {"chunks": 40}), (chunk_select, {"chunks": 40}), (channel_select, {"chunks": 1, "lanes": 1, "timesteps": 1}),
    (sparse_conv, {"height": 1, "width": 1, "parts": 1, "chunks": 1, "lanes_in": 1, "kernel": (1, 1), "outputs": 1, "lanes": 1,
                   "timesteps": 1, "weight_bits": 1}),
    (sparse_conv, {"kernel": (5, 5), "lanes": 3, "banks": 8, "queue_depth": 40, "passes": 4}),
    (sparse_fc, {"parts": 1, "chunks": 1, "lanes_in": 1, "outputs": 1, "lanes": 1, "timesteps": 1, "weight_bits": 1}),
    (sparse_fc, {"lanes": 3, "banks": 8, "queue_depth": 40, "passes": 4}),
    (take_field, {"low": 0, "high": 9}), (take_bit, {"width": 1, "index": 0}), (take_whole, {"width": 1}),
    (weight_fetch, {"frame_rows": 1, "scans": 1, "positions": 1, "channels": 1, "timesteps": 1, "width": 1}),
    (weight_fetch, {"least_bank": 2}),
    (window_position, {"height": 1, "width": 1, "kernel": (1, 1), "groups": 1}),
    (window_position, {"height": 1, "kernel": (6, 5)}),
    (board_core, {}), (bridge_control, {"address_bits": 3, "timeout": 1}), (bridge_control, {"address_bits": 31}),
    (bus_master, {"address_bits": 3}), (packet_receiver, {"timeout": 1}), (packet_receiver, {"timeout": 10**9}),
    (stall_timer, {"timeout": 1}), (stall_timer, {"timeout": 10**9}), (uart_bridge, {"image_bits": 1024}),
    (uart_receiver, {"divider": 4}), (uart_receiver, {"divider": 10**6}), (uart_transmitter, {"divider": 4}),
    (word_beats, {"bits": 16}), (word_beats, {"bits": 32}), (word_beats, {"bits": 1024}),
]  # fmt: skip


@pytest.mark.parametrize(("made", "numbers"), EXTREMES, ids=lambda value: getattr(value, "__name__", None))
def test_extremes_build(made, numbers):
    assert made(**BLOCKS[made](**numbers)).subs


def test_a_loadable_core_is_built_of_the_same_blocks():
    memory = LoadedTable("words", 5, [0] * 11, 0)
    assert banked_memory(**of_banked_memory() | {"table": memory, "load": Load(11)}).subs
    with pytest.raises(DesignError, match="loaded_memory: pieces_on_the_bus 10; allowed: 11 or more"):
        banked_memory(**of_banked_memory() | {"table": memory, "load": Load(10)})


def test_what_networks_may_be_is_what_the_hardware_takes():
    assert kernel.KERNELS == KERNELS
    assert checks.RESETS == RESETS
