"""The areas of an accelerator's stages on an UltraScale+, by synthesis."""

from __future__ import annotations

from collections.abc import Callable

from duospike.cosim.design.build import convert_stages
from duospike.cosim.folder import temporary_folder
from duospike.rtl.stage import Stage

from .synthesize import Area, synthesize


def stage_areas(stages: dict[str, Stage], progress: Callable[[str], None] = lambda step: None) -> dict[str, Area]:
    """Area of each stage by Yosys, products in DSP blocks. CosimError if Yosys is missing or fails."""
    with temporary_folder() as folder:
        return dict(synthesize(convert_stages(stages), folder, progress=progress).stage_areas)


def luts(area: Area) -> float:
    """LUTs of an UltraScale+, those used as RAM among them."""
    return area.lut + area.lut_ram
