"""The AXI shell in Verilog and in VHDL: right results through the bus, back-pressure, commands, and no harm from wrong use."""

from dataclasses import replace

import numpy as np
import pytest

from duospike.cosim.axi.pynq_driver import INVALID
from duospike.cosim.axi.simulated_overlay import BusError
from duospike.cosim.errors import CosimError
from duospike.cosim.simulation.network_run import run_network
from duospike.reference import golden
from duospike.rtl.activity import COUNTERS
from tests.benches.shell_bench import receive, send_packet, shell_design, shell_running
from tests.benches.small_networks import small_stages

NETWORKS = {
    "one channel": ("3C3-5C3-MP2-FC6", (1, 6, 7), 2, {"classes": 3}),
    "signed, a TDATA wider than a pixel": ("4C3-FC6", (3, 5, 3), 3, {"image_signed": True}),
    "two passes": ("3C3-MP2-FC6", (1, 4, 5), None, {"timesteps": 8, "reset": "subtract_delayed"}),
    "rate coding, two passes": ("3C3-FC6", (2, 4, 3), None, {"timesteps": 8, "coding": "rate"}),
    "events, five passes": ("3C1-FC6", (5, 3, 3), None, {"timesteps": 5, "coding": "events", "image_bits": 1}),
    "an image into a fully connected layer": ("FC7-FC6", (3, 2, 5), None, {"timesteps": 4}),
    "frames into a fully connected layer, two passes": ("FC7-FC6", (3, 2, 5), None, {"timesteps": 6, "coding": "frames"}),
    "frames, two passes": ("3C3-FC6", (2, 4, 3), None, {"timesteps": 8, "coding": "frames", "image_signed": True}),
    "events into a fully connected layer": ("FC7-FC6", (3, 2, 5), None, {"timesteps": 4, "coding": "events", "image_bits": 1}),
    "300 timesteps": ("2C3-FC4", (1, 3, 3), None, {"timesteps": 300, "classes": 2}),
    "first spike": ("2C3-FC4", (1, 3, 4), None, {"timesteps": 6, "classes": 2, "readout": "first_spike"}),
    "last potential": ("2C3-FC4", (1, 3, 4), 2, {"timesteps": 2, "classes": 4, "readout": "last_membrane", "reset": "none"}),
    "largest potential": ("2C3-FC4", (1, 3, 4), 2, {"timesteps": 8, "classes": 4, "readout": "max_membrane", "leaks": True}),
    "12-bit pixels": ("2C3-FC4", (1, 3, 5), None, {"image_bits": 12, "classes": 2, "timesteps": 1}),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_results_are_those_of_the_reference(simulator, tmp_path, name):
    architecture, shape, lanes, settings = NETWORKS[name]
    design = shell_design(architecture, shape, lanes, simulator=simulator, **settings)
    images = design.images(5)
    expected = golden.run(design.network, images)
    assert expected.scores.any()
    for stall in (0, 120, 220):
        with shell_running(tmp_path, design, stall=stall, seed=stall + 1) as (_, core):
            classes, counts = core.infer(images)
            # Again, without a reset: nothing of the first images is left.
            again, _ = core.infer(images[::-1])
            assert (core.read("IMAGES"), core.read("RESULTS"), core.errors()) == (10, 10, [])
            assert core.state() == {"RUNNING": True, "BUSY": False}
        assert counts.tolist() == expected.scores.tolist()
        assert classes.tolist() == expected.predicted.tolist()
        assert again.tolist() == expected.predicted[::-1].tolist()


@pytest.mark.slow
def test_the_stages_counters_are_those_of_the_accelerator(simulator, tmp_path):
    design = shell_design(simulator=simulator)
    images = design.images(3)
    (tmp_path / "plain").mkdir()
    plain = run_network(design.network, small_stages(design.network), images, tmp_path / "plain")
    with shell_running(tmp_path / "shell", design) as (_, core):
        core.infer(images)
        counters = core.counters()
    assert list(counters) == list(plain.activity)
    for stage, counts in plain.activity.items():
        assert list(counters[stage]) == list(COUNTERS)
        for name in ("busy", "events", "silent"):
            assert counters[stage][name] == counts[name], (stage, name)


def packets_of(core, images):
    return list(core.encode(images))


def test_packets_of_any_length_give_a_result_each_and_spoil_no_other(simulator, tmp_path):
    """A short packet is an image with zeros at its end, a long one is cut; the result of either says so."""
    design = shell_design(simulator=simulator)
    rng = np.random.default_rng(3)
    images = design.images(14)
    beats = 72
    lengths = [72, 1, 72, 73, 71, 72, 72, 200, 3, 72, *rng.integers(1, 100, 4)]
    cut = images.reshape(14, beats).copy()
    for image, length in zip(cut, lengths, strict=True):
        image[length:] = 0
    expected = golden.run(design.network, cut.reshape(images.shape))
    with shell_running(tmp_path, design, stall=90) as (overlay, core):
        core.start()
        for i, (packet, length) in enumerate(zip(packets_of(core, images), lengths, strict=True)):
            surplus = rng.integers(0, 256, max(0, length - beats), np.uint8)
            words = send_packet(overlay, core, np.concatenate([packet, surplus])[:length])
            assert bool(words[0] & INVALID) == (length != beats), i
            assert words[0] % INVALID == expected.predicted[i], i
            assert words[1:].tolist() == expected.scores[i].tolist(), i
            wrong = [name for name, is_so in (("SHORT_IMAGE", length < beats), ("LONG_IMAGE", length > beats)) if is_so]
            assert core.errors() == wrong, i
            core.clear_errors()
        assert core.read("IMAGES") == core.read("RESULTS") == 14


def test_flags_are_cleared_one_by_one(simulator, tmp_path):
    design = shell_design(simulator=simulator)
    with shell_running(tmp_path, design) as (overlay, core):
        core.start()
        [packet] = packets_of(core, design.images(1))
        send_packet(overlay, core, packet[:4])
        send_packet(overlay, core, np.concatenate([packet, packet]))
        core.write("CONTROL", 0b11)
        with pytest.raises(BusError):
            overlay.ip.read(0xFFC)
        assert core.errors() == ["SHORT_IMAGE", "LONG_IMAGE", "BAD_ACCESS", "BAD_COMMAND"]
        for bit, left in ((0b0100, 0b1011), (0b0001, 0b1010), (0, 0b1010), (0b1010, 0)):
            core.write("ERRORS", bit)
            assert core.read("ERRORS") == left


def test_wrong_accesses_are_answered_and_flagged(simulator, tmp_path):
    design = shell_design(simulator=simulator)
    with shell_running(tmp_path, design, stall=60) as (overlay, core):
        beyond = 4 * len(core.registers)
        wrong = [
            (lambda: overlay.ip.read(beyond), "read of .* DECERR"),
            (lambda: overlay.ip.write(beyond, 1), "write to .* DECERR"),
            (lambda: overlay.ip.write(0x000, 1), "write to 0x0 was answered with SLVERR"),
            (lambda: core.write("CYCLES", 0), "SLVERR"),
        ]
        for access, message in wrong:
            with pytest.raises(BusError, match=message):
                access()
            assert core.errors() == ["BAD_ACCESS"]
            core.clear_errors()
            assert core.errors() == []
        core.check()


def test_a_command_of_several_or_unknown_bits_does_nothing(simulator, tmp_path):
    with shell_running(tmp_path, shell_design(simulator=simulator)) as (_, core):
        for value in (0b011, 0b101, 0b111, 0b1000, 1 << 31 | 1):
            core.stop()
            for running in (False, True):
                core.write("CONTROL", value)
                assert core.errors() == ["BAD_COMMAND"] and core.state()["RUNNING"] == running
                assert core.read("CONTROL") == 0
                core.clear_errors()
                core.start()


def test_only_a_write_with_all_strobes_does_something(simulator, tmp_path):
    with shell_running(tmp_path, shell_design(simulator=simulator), stall=60) as (overlay, core):
        control, errors = (core.registers[name]["offset"] for name in ("CONTROL", "ERRORS"))
        for strobes in range(1, 0b1111):
            with pytest.raises(BusError, match="SLVERR"):
                overlay.ip.write(control, 1, strobes)
            assert core.errors() == ["BAD_ACCESS"] and not core.state()["RUNNING"]
            with pytest.raises(BusError, match="SLVERR"):
                overlay.ip.write(errors, 0b1111, strobes)
            assert core.errors() == ["BAD_ACCESS"]
            core.clear_errors()
        core.write("CONTROL", 0b11)
        for offset in (control, errors, core.registers["CYCLES"]["offset"], 0):
            overlay.ip.write(offset, 2**32 - 1, 0)
            assert core.errors() == ["BAD_COMMAND"] and not core.state()["RUNNING"]
        with pytest.raises(BusError, match="DECERR"):
            overlay.ip.write(0xFFC, 1, 0)
        overlay.ip.write(control, 1)
        assert core.state()["RUNNING"] and core.errors() == ["BAD_ACCESS", "BAD_COMMAND"]


def test_nothing_is_taken_before_start_and_after_stop(simulator, tmp_path):
    design = shell_design(simulator=simulator)
    images = design.images(2)
    with shell_running(tmp_path, design, idle_limit=500) as (overlay, core):
        packet, other = packets_of(core, images)
        overlay.dma.sendchannel.transfer(packet)
        with pytest.raises(CosimError, match="takes no further beat"):
            overlay.dma.sendchannel.wait()
        assert core.state() == {"RUNNING": False, "BUSY": False} and core.read("IMAGES") == 0
        core.start()
        overlay.dma.sendchannel.wait()
        result = receive(overlay, core)
        assert result[1:].tolist() == golden.run(design.network, images).scores[0].tolist()
        core.stop()
        overlay.dma.sendchannel.transfer(other)
        with pytest.raises(CosimError, match="takes no further beat"):
            overlay.dma.sendchannel.wait()
        assert core.read("IMAGES") == 1


def test_stop_lets_the_current_image_pass(simulator, tmp_path):
    design = shell_design(simulator=simulator)
    images = design.images(1)
    with shell_running(tmp_path, design) as (overlay, core):
        [packet] = packets_of(core, images)
        core.start()
        overlay.dma.sendchannel.transfer(packet)
        overlay.run(20)
        core.stop()
        assert core.state() == {"RUNNING": False, "BUSY": True} and core.read("IMAGES") == 0
        result = receive(overlay, core)
        assert core.state() == {"RUNNING": False, "BUSY": False} and core.read("IMAGES") == 1
    assert result[1:].tolist() == golden.run(design.network, images).scores[0].tolist()


@pytest.mark.parametrize("cycles", [3, 30, 60])
def test_reset_forgets_the_current_image_and_nothing_else_goes_wrong(simulator, tmp_path, cycles):
    """After a reset the rest of the packet is a short one of its own."""
    design = shell_design(simulator=simulator)
    images = design.images(3)
    with shell_running(tmp_path, design, stall=30) as (overlay, core):
        packet, *others = packets_of(core, images)
        core.write("CONTROL", 0b11)
        core.start()
        overlay.dma.sendchannel.transfer(packet)
        overlay.run(cycles)
        core.reset()
        assert core.errors() == [] and core.state() == {"RUNNING": False, "BUSY": False}
        assert core.read("IMAGES") == 0 and 0 < core.read("CYCLES") < 100
        core.start()
        overlay.dma.sendchannel.wait()
        result = receive(overlay, core)
        assert result[0] & INVALID and core.errors() == ["SHORT_IMAGE"]
        counts = [send_packet(overlay, core, other)[1:].tolist() for other in others]
    assert counts == golden.run(design.network, images[1:]).scores.tolist()


def test_reset_cuts_no_result_packet_short(simulator, tmp_path):
    """The bench's monitor of the result stream finds a dropped or changed word."""
    design = shell_design(simulator=simulator)
    images = design.images(1)
    with shell_running(tmp_path, design, stall=230) as (overlay, core):
        [packet] = packets_of(core, images)
        core.start()
        overlay.dma.sendchannel.transfer(packet)
        overlay.dma.sendchannel.wait()
        overlay.run(200)
        assert core.read("IMAGES") == 1 and core.read("RESULTS") == 0 and core.state()["BUSY"]
        core.reset()
        result = receive(overlay, core)
        assert not core.state()["BUSY"]
    assert result[1:].tolist() == golden.run(design.network, images).scores[0].tolist()


def test_images_follow_each_other_while_results_wait(simulator, tmp_path):
    """A core whose results nobody takes goes on until its stages are full, and loses nothing."""
    design = shell_design(simulator=simulator)
    images = design.images(12)
    with shell_running(tmp_path, design, idle_limit=300) as (overlay, core):
        packets = packets_of(core, images)
        core.start()
        sent = 0
        while sent < len(packets):
            overlay.dma.sendchannel.transfer(packets[sent])
            try:
                overlay.dma.sendchannel.wait()
            except CosimError:
                break
            sent += 1
        assert 1 <= sent < len(packets), sent
        results = [receive(overlay, core) for _ in range(sent)]
        overlay.dma.sendchannel.wait()
        results.append(receive(overlay, core))
    counts = [result[1:].tolist() for result in results]
    assert counts == golden.run(design.network, images[: sent + 1]).scores.tolist()


def planted(modules, old, new):
    """Modules with a piece of their text replaced, which is there exactly once."""
    assert sum(module.text.count(old) for module in modules) == 1
    return tuple(replace(module, text=module.text.replace(old, new)) for module in modules)


FAULTS = {
    "no padding": {
        "icarus": ("padding <= 1'b1;", "padding <= 1'b0;"),
        "ghdl": ("padding <= '1';", "padding <= '0';"),
    },
    "no dropping": {
        "icarus": ("dropping <= 1'b1;", "dropping <= 1'b0;"),
        "ghdl": ("dropping <= '1';", "dropping <= '0';"),
    },
    "result changes": {
        "icarus": ("else if (dst_tready) begin\n        head", "else begin\n        head"),
        "ghdl": ("elsif bool(dst_tready) then\n            head", "elsif true then\n            head"),
    },
    "marks of good packets": {
        "icarus": ("assign mark_data = (!(src_tlast", "assign mark_data = ((src_tlast"),
        "ghdl": ("mark_data <= to_unsigned((not (bool(src_tlast)", "mark_data <= to_unsigned(((bool(src_tlast)"),
    },
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_found(simulator, tmp_path, fault):
    design = shell_design(simulator=simulator)
    images = design.images(3)
    expected = golden.run(design.network, images).scores

    def passes(**settings):
        with shell_running(tmp_path, design, stall=90, idle_limit=2000, **settings) as (overlay, core):
            core.start()
            good, odd, other = packets_of(core, images)
            wrong = np.concatenate([odd, odd[:7]]) if fault == "no dropping" else odd[:7]
            results = [send_packet(overlay, core, packet) for packet in (good, wrong, other)]
            return [results[i][1:].tolist() == expected[i].tolist() for i in (0, 2)] == [True, True] and [
                bool(result[0] & INVALID) for result in results
            ] == [False, True, False]

    assert passes()
    try:
        found = not passes(modules=planted(design.modules, *FAULTS[fault][simulator]))
    except CosimError:
        found = True
    assert found
