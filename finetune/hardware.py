"""Which device trains, and in which precision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CPUINFO = Path("/proc/cpuinfo")
BF16_CPU_FLAGS = frozenset({"amx_bf16", "avx512_bf16"})


@dataclass(frozen=True, slots=True)
class Hardware:
    """``bf16`` and ``tf32`` say which of the two is used in training."""

    device: Literal["cuda", "mps", "cpu"]
    bf16: bool
    tf32: bool

    @property
    def precision(self) -> str:
        """How it is named to a person."""
        return "bf16 autocast" if self.bf16 else "tf32" if self.tf32 else "fp32"


def detect_hardware() -> Hardware:
    """CUDA before Apple's GPU before the processor; bf16 where it is in hardware.

    A processor multiplies bf16 in hardware with AMX or AVX512_BF16. One training batch of MiniLM
    (32 pairs, two cores of an EPYC with AVX512_BF16 and no AMX, torch 2.13) took 2.8 and 3.6 s in
    bf16 autocast against 4.7 and 5.5 s in fp32. Without either, bf16 is emulated and far slower.
    """
    import torch

    if torch.cuda.is_available():
        ampere = torch.cuda.get_device_capability() >= (8, 0)
        return Hardware("cuda", bf16=ampere and torch.cuda.is_bf16_supported(), tf32=ampere)
    if torch.backends.mps.is_available():
        return Hardware("mps", bf16=False, tf32=False)
    cpuinfo = CPUINFO.read_text("utf-8") if CPUINFO.exists() else ""
    return Hardware("cpu", bf16=cpu_has_bf16(cpuinfo), tf32=False)


def cpu_has_bf16(cpuinfo: str) -> bool:
    """Whether the text of Linux's ``/proc/cpuinfo`` names a bf16 instruction set."""
    flags = next((line for line in cpuinfo.splitlines() if line.startswith("flags")), "")
    return not BF16_CPU_FLAGS.isdisjoint(flags.split())
