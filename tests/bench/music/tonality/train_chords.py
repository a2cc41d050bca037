"""train_chords.py OUT.rs FOLDER=TRUTH...: writes the chord model as a Rust table."""
import json, sys
import numpy as np
from data import load, QUALITIES
import chord_model as cm

clips = []
for pair in sys.argv[2:]:
    folder, truth = pair.split("=")
    clips += [c for c in load(folder, json.load(open(truth))) if c["chords"]]
print(len(clips), "clips")
v = cm.train(clips, step=6 if len(clips) < 400 else 9, iterations=60)
np.save("chord_model.npy", v)
w, b, n = cm.unpack(v)


def row(numbers):
    return "[" + ", ".join(f"{x:.3f}" for x in numbers) + "]"


with open(sys.argv[1], "w") as f:
    f.write('''//! The weights of the chord model. Written by `tests/bench/music/tonality/train_chords.py`.

use super::quality::QUALITY_COUNT;
use crate::music::chroma::PITCH_CLASSES;

/// For each quality, how much each pitch class above the root speaks for it: in the bass, from the root
/// on, then in the treble. The profiles have length one.
pub(super) const WEIGHTS: [[f32; 2 * PITCH_CLASSES]; QUALITY_COUNT] = [
''')
    for q in w:
        f.write("    " + row(q) + ",\n")
    f.write("];\n\n/// How frequent each quality is, as a logarithm.\npub(super) const BIASES: [f32; QUALITY_COUNT] =\n    " + row(b) + ";\n\n")
    f.write("/// That there is no chord: a constant, and how much less so with the logarithm of all strengths.\n")
    f.write("pub(super) const NO_CHORD: [f32; 2] = " + row(n) + ";\n")
