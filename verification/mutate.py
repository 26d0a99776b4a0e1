"""Random faults in the netlists of blocks: `python -m verification.mutate [BLOCK ...]`.

Yosys' `mutate` plants single faults, such as an inverted bit or one that is stuck, in a block's netlist of words, and the
project's own tests run on each, in Icarus, in place of the converted module. A mutant is killed if one of the tests that use
this module fails or does not end. Those that survive are compared with the netlist without a fault, and do not count if abc
proves that no user of the block can distinguish them. Before all that the tests must pass on the netlist itself.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from benchmarks.figures.record import begin
from duospike.cosim.errors import CosimError
from duospike.cosim.interrupts import run_command
from duospike.cosim.system import require, run_tool
from duospike.reference.files import write_atomically
from verification.mutation.campaign import Result, run_campaign, score
from verification.mutation.killing import with_tests
from verification.system_yosys import yosys_version

SEED = 1
FAULTS = 400
REQUIRED = 0.95

REFUSED = 2
"""Exit status where no score could be found."""

TARGETS: dict[str, tuple[str, ...]] = {
    "scanner": (
        "rtl/test_scanner.py::test_every_event_once_and_in_order[icarus-3-2-2-0-4-2-stalls0]",
        "rtl/test_scanner.py::test_columns_side_by_side[icarus-stalls0-5-2-1-3-2-dropped1]",
        "rtl/test_scanner.py::test_columns_side_by_side[icarus-stalls0-7-2-2-2-3-dropped2]",
    ),
    "scan_position": (
        "rtl/test_scan_position.py::test_a_position_in_each_cycle_in_which_one_is_there[icarus-9-1-0-1-1-0-3-rates0]",
        "rtl/test_scan_position.py::test_a_position_in_each_cycle_in_which_one_is_there[icarus-2-3-1-2-2-3-2-rates0]",
    ),
    "span_select": ("rtl/test_scanner.py::test_every_event_once_and_in_order[icarus-7-3-3-1-7-3-stalls0]",),
    "chunk_select": ("rtl/test_scanner.py::test_rows_in_parts[icarus-7-2-2-3-stalls0]",),
    "channel_select": (
        "rtl/test_scanner.py::test_every_event_once_and_in_order[icarus-3-2-2-0-4-2-stalls0]",
        "rtl/test_scanner.py::test_columns_side_by_side[icarus-stalls0-5-2-1-3-2-dropped1]",
    ),
    "row_buffer": (
        "rtl/test_row_buffer.py::test_keeps_parts_with_their_flags[icarus-5-3-4-1-0]",
        "rtl/test_row_buffer.py::test_keeps_parts_with_their_flags[icarus-2-6-3-3-0]",
    ),
    "fifo": (
        "rtl/test_fifo.py::test_throughput[icarus-3-1]",
        "rtl/test_fifo.py::test_throughput[icarus-16-1]",
    ),
    "weight_fetch": (
        "rtl/test_weight_fetch.py::test_words_of_every_scan[icarus-3-2-1-5-1-stalls0]",
        "rtl/test_weight_fetch.py::test_words_of_every_scan[icarus-2-3-0-1-4-stalls0]",
        "rtl/test_weight_fetch.py::test_scans_that_come_several_times[icarus-2-3-2-stalls0]",
        "rtl/test_weight_fetch.py::test_scans_that_come_several_times[icarus-4-3-3-stalls0]",
    ),
    "accumulator": (
        "rtl/test_accumulator.py::test_currents_under_stalls[icarus-kernel2-2-2-3-stalls0]",
        "rtl/test_accumulator.py::test_output_windows[icarus-stalls0-kernel1-size1-stride1-less1]",
    ),
    "column_position": (
        "rtl/test_accumulator.py::test_currents_under_stalls[icarus-kernel1-4-2-4-stalls0]",
        "rtl/test_accumulator.py::test_rows_in_parts[icarus-kernel1-2-3-2-stalls0]",
        "rtl/test_accumulator.py::test_output_windows[icarus-stalls0-kernel0-size0-stride0-less0]",
    ),
    "column_tags": ("rtl/test_accumulator.py::test_currents_under_stalls[icarus-kernel2-2-2-3-stalls0]",),
    "line_buffer": (
        "rtl/test_line_buffer.py::test_each_cycle[icarus-8-kernel0-1-4-2-7-0.5]",
        "rtl/test_line_buffer.py::test_each_cycle[icarus-5-kernel1-3-1-1-9-0.5]",
    ),
    "fc_accumulator": (
        "rtl/test_fc_accumulator.py::test_currents[icarus-1-3-stalls0]",
        "rtl/test_fc_accumulator.py::test_currents[icarus-3-5-stalls0]",
    ),
    "lif": (
        "rtl/test_lif.py::test_all_kinds_under_stalls[icarus-stalls0-zero]",
        "rtl/test_lif.py::test_potentials_go_on_over_passes[icarus-3-2-2-2-2-subtract_delayed]",
    ),
    "neuron_pipeline": (
        "rtl/test_lif.py::test_potentials_leave[icarus-None-3-1-none-max_membrane]",
        "rtl/test_lif.py::test_potentials_leave[icarus-5-2-3-zero-max_membrane]",
        "rtl/test_lif.py::test_all_kinds_under_stalls[icarus-stalls0-subtract]",
        "rtl/test_lif.py::test_potentials_go_on_over_passes[icarus-3-2-2-2-2-subtract_delayed]",
    ),
    "readout": (
        "rtl/test_readout.py::test_counts_and_class[icarus-4-3-5-stalls1]",
        "rtl/test_readout.py::test_first_spikes[icarus-3-4-3-3-stalls1]",
        "rtl/test_readout.py::test_signed_potentials[icarus-7-3-6-3-max_membrane]",
        "rtl/test_readout.py::test_signed_potentials[icarus-7-3-6-3-last_membrane]",
    ),
    "neuron": (
        "rtl/test_neuron.py::test_one_timestep_of_a_neuron[icarus-False-subtract]",
        "rtl/test_neuron.py::test_one_timestep_of_a_neuron[icarus-True-subtract_delayed]",
        "rtl/test_neuron.py::test_one_timestep_of_a_neuron[icarus-True-zero]",
        "rtl/test_neuron.py::test_one_timestep_of_a_neuron[icarus-False-none]",
    ),
    "pass_memory": ("rtl/test_lif.py::test_potentials_go_on_over_passes[icarus-3-2-2-2-2-subtract_delayed]",),
    "credit_counter": ("rtl/test_lif.py::test_all_kinds_under_stalls[icarus-stalls0-zero]",),
    "row_intake": ("rtl/test_image_window.py::test_windows_under_stalls[icarus-kernel1-stalls0]",),
    "window_position": (
        "rtl/test_image_window.py::test_output_windows[icarus-kernel0-out_rows0-out_columns0-stalls0]",
        "rtl/test_image_window.py::test_small_images[icarus-1-kernel1-1-4]",
    ),
    "tag_line": ("rtl/test_image_window.py::test_output_windows[icarus-kernel0-out_rows0-out_columns0-stalls0]",),
    "mac_array": (
        "rtl/test_mac_array.py::test_sums_of_products[icarus-False-stalls0]",
        "rtl/test_mac_array.py::test_sums_of_products[icarus-True-stalls0]",
        "rtl/test_mac_array.py::test_without_a_bias[icarus-5-5]",
    ),
    "timestep_select": ("rtl/test_timestep_select.py::test_timesteps_one_after_the_other[icarus-3-4-3-stalls0]",),
    "current_sum": (
        "rtl/test_current_sum.py::test_sums_of_words[icarus-3-2-1-stalls0]",
        "rtl/test_current_sum.py::test_sums_of_words[icarus-2-1-2-stalls0]",
    ),
    "pixel_words": (
        "rtl/test_pixel_words.py::test_words_of_pixels[icarus-7-2-6-stalls0]",
        "rtl/test_pixel_words.py::test_words_of_pixels[icarus-3-4-2-stalls0]",
    ),
    "image_memory": (
        "rtl/test_image_memory.py::test_each_image_again_and_again[icarus-5-2-stalls0]",
        "rtl/test_image_memory.py::test_each_image_again_and_again[icarus-3-4-stalls0]",
    ),
    "pool": (
        "rtl/test_pool.py::test_even_and_odd_maps[icarus-size1-stalls0]",
        "rtl/test_pool.py::test_even_and_odd_maps[icarus-size3-stalls0]",
        "rtl/test_pool.py::test_windows[icarus-0]",
        "rtl/test_pool.py::test_windows[icarus-7]",
        "rtl/test_pool.py::test_windows[icarus-10]",
    ),
    "current_pool": (
        "rtl/test_current_pool.py::test_windows[icarus-0-max]",
        "rtl/test_current_pool.py::test_windows[icarus-1-sum]",
    ),
    "delay_line": ("rtl/test_delay_line.py::test_words_come_back_in_order[icarus-3]",),
    "crop": (
        "rtl/test_crop.py::test_keeps_the_first_rows_and_columns[icarus-sizes0-stalls0]",
        "rtl/test_crop.py::test_keeps_the_first_rows_and_columns[icarus-sizes4-stalls0]",
    ),
    "result_output": (
        "rtl/test_result_output.py::test_every_result_is_a_packet_with_its_mark[icarus-3-6-True-stalls0]",
        "rtl/test_result_output.py::test_every_result_is_a_packet_with_its_mark[icarus-10-5-False-stalls0]",
    ),
    "encoder": ("rtl/test_encoder.py::test_spikes_are_those_of_the_reference[icarus-stalls1]",),
    "event_queue": ("rtl/test_event_queue.py::test_every_event_once_and_in_order[icarus-1-stalls1]",),
    "image_intake": ("rtl/test_image_intake.py::test_every_packet_gives_one_whole_image[icarus-1-stalls1]",),
    "banked_memory": ("rtl/test_banked_memory.py::test_words_of_all_banks_three_steps_after_their_address[icarus-3-2-1-True]",),
    "load_control": ("rtl/test_load_control.py::test_commands_words_and_flags[icarus-4]",),
    "axi_lite": ("rtl/test_axi_lite.py::test_every_access_is_answered_and_done_once_and_in_order[icarus-stalls0-shell]",),
    "bus_master": ("rtl/test_bus_master.py::test_accesses_one_after_the_other[icarus-0.6]",),
    "bridge_control": ("rtl/test_bridge_control.py::test_random_requests[icarus]",),
    "packet_receiver": ("rtl/test_packet_receiver.py::test_whole_packets_with_pauses[icarus]",),
    "packet_sender": ("rtl/test_packet_sender.py::test_packets_of_a_memory[icarus-stalls1]",),
    "crc32": ("rtl/test_crc32.py::test_the_checksum_is_zlibs[icarus-0.7]",),
    "serial_crc32": ("rtl/test_serial_crc32.py::test_the_checksum_is_zlibs[icarus]",),
    "uart_receiver": (
        "rtl/test_uart_receiver.py::test_bytes_at_rates_that_are_a_little_off[icarus-4]",
        "rtl/test_uart_receiver.py::test_bytes_at_rates_that_are_a_little_off[icarus-9]",
    ),
    "uart_transmitter": ("rtl/test_uart_transmitter.py::test_bytes_on_the_line[icarus-5-0.97]",),
    "word_beats": ("rtl/test_word_beats.py::test_packets_of_many_lengths[icarus-8-0.6]",),
    "word_bytes": ("rtl/test_word_bytes.py::test_the_lowest_byte_comes_first[icarus-stalls1]",),
}
"""The blocks, and for each the tests whose parameters it has when it is mutated: all tests with the same are then run. What a
block is made of is mutated with it: an accumulator is its netlist, those of its position, window and line buffer included."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("blocks", nargs="*", metavar="BLOCK", help=f"blocks to mutate (default: all): {', '.join(TARGETS)}")
    parser.add_argument("--faults", type=int, default=FAULTS, metavar="N", help="faults, spread evenly (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, metavar="S", help="seed of the faults (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N", help="runs at a time (default: one a core)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the results to this JSON file")
    args = parser.parse_args()
    unknown = [block for block in args.blocks if block not in TARGETS]
    if unknown:
        parser.error(f"no block {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    if args.faults < 1 or args.jobs < 1:
        parser.error(f"{args.faults} faults, {args.jobs} jobs; allowed: 1 or more of each")
    wanted = {block: TARGETS[block] for block in args.blocks or TARGETS}
    start, results, measurement = time.monotonic(), [], begin("mutation")
    files = {test.partition("::")[0] for tests in wanted.values() for test in tests}
    try:
        with_tests(sorted(files), lambda tests: results.extend(run_campaign(wanted, args.faults, args.seed, tests, args.jobs)))
    except CosimError as error:
        print(f"mutate: {error}", file=sys.stderr)
        return REFUSED
    seconds = round(time.monotonic() - start)
    report(results, seconds)
    if args.out:
        found = {"measured": measurement.record(), **record(results, args.seed, seconds)}
        write_atomically(args.out, (json.dumps(found, indent=2) + "\n").encode())
    return 0 if score(results) >= REQUIRED else 1


def report(results: Sequence[Result], seconds: int):
    """Print the result for each block, and the mutants that survived and are not equivalent."""
    for block, group in groupby(results, key=lambda result: result.block):
        print(summary(block, list(group)))
    print(f"{summary('all', results)}; at least {REQUIRED:.0%} required, {seconds} s")
    for result in results:
        for survivor in result.survivors:
            if not survivor.is_equivalent:
                print(f"survives, {survivor.verdict}: {survivor.mutation.command}")


def summary(name: str, results: Sequence[Result]) -> str:
    """A line on some results."""
    planted, killed, equivalent = (
        sum(getattr(result, count) for result in results) for count in ("planted", "killed", "equivalent")
    )
    return f"{name:<16}{planted:>4} planted, {killed:>4} killed, {equivalent:>3} equivalent: {score(results):6.1%}"


def record(results: Sequence[Result], seed: int, seconds: int) -> dict:
    """The results as JSON has them."""
    blocks = [asdict(result) | {"killed": result.killed, "equivalent": result.equivalent} for result in results]
    return {
        "versions": versions(), "seed": seed, "required": REQUIRED, "score": round(score(results), 4), "seconds": seconds,
        "blocks": blocks,
    }  # fmt: skip


def versions() -> dict[str, str]:
    """The programs that do the work."""
    icarus = run_tool([require("iverilog", "iverilog"), "-V"], Path()).split()[3]
    return {"yosys": yosys_version(), "icarus": icarus}


if __name__ == "__main__":
    sys.exit(run_command("mutate", main))
