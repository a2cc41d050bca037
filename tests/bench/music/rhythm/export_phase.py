"""Writes core/dsp/src/music/rhythm/templates.rs from phase.npz."""
import sys
import numpy as np
from phase import unpack
ws, reps = unpack(np.load(sys.argv[1])["w"])
out = ["//! Templates of bars. Written by `tests/bench/music/rhythm/export_phase.py`.\n", "use super::candidate::REPETITIONS;\n"]
def table(doc, name, values, size):
    out.append(f"/// {doc}")
    out.append(f"pub(crate) static {name}: [f32; {size}] = [")
    line = "   "
    for v in values:
        text = f" {v:.4f},"
        if len(line) + len(text) > 100: out.append(line); line = "   "
        line += text
    out.append(line); out.append("];\n")
names = [("FOUR", "of four quarters"), ("THREE", "of three quarters"), ("SIX_EIGHT", "of six eighths")]
for (n, d), w, r in zip(names, ws, reps):
    table(f"A bar {d}: `[beat][mark][layer]`.", n, w, len(w))
    table(f"What repetitions say for bars {d}.", n + "_REPETITION", r, "REPETITIONS")
open(sys.argv[2], "w").write("\n".join(out))
