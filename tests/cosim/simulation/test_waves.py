"""The GTKWave save file names signals that the dump holds."""

import re
import subprocess

from duospike.cosim.simulation.network_run import run_network
from duospike.cosim.simulation.verilog_bench import plusargs
from duospike.cosim.simulation.waves import DUMP, save_file
from duospike.reference.data.datasets import random_images
from tests.benches.small_networks import small_network, small_stages


def test_every_signal_of_the_save_file_is_in_the_dump(tmp_path):
    network = small_network("2C3-FC3", (1, 3, 3))
    images = random_images(1, network.input_shape, network.pixel_range, 1)
    run = run_network(network, small_stages(network), images, tmp_path, waves=True)
    text = save_file(run.bench)
    assert f'[dumpfile] "{DUMP}"' in text
    # The same dump as text: reading the compressed one takes GTKWave's own tools.
    subprocess.run(["vvp", "-n", "bench.vvp", *plusargs(run.bench), "-vcd"], cwd=tmp_path, capture_output=True, check=True)
    vcd = (tmp_path / DUMP).read_text()
    declared = set(re.findall(r"\$var \w+ \d+ \S+ (\w+)(?: \[\d+:\d+\])? \$end", vcd))
    named = re.findall(r"^bench\.(\w+)(?:\[\d+:0\])?$", text, re.MULTILINE)
    assert {"src_data", "conv1_valid", "conv1_ready", "conv1_data", "fc1_data", "dst_valid"} <= set(named)
    assert set(named) <= declared
