"""Renders a clip with fluidsynth and sox to 44.1 kHz, 16 bit, stereo."""
import os
import subprocess
import tempfile
import soundfile

DELAY = 0.003     # the sound comes 3 ms after the MIDI event (check.py --delay: 2 ms of blocks, 1 ms of attack)


def render(clip, path):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        raw = os.path.join(folder, "raw.wav")
        if clip.samples is not None:
            soundfile.write(raw, clip.samples, 44100, subtype="FLOAT")
        else:
            midi = os.path.join(folder, "clip.mid")
            clip.write_midi(midi)
            subprocess.run(["fluidsynth", "-n", "-i", "-q", "-F", raw, "-r", "44100", "-T", "wav", "-O", "float",
                            "-o", "synth.dynamic-sample-loading=1", *clip.synth, clip.soundfont, midi],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        level = [] if clip.level is None else ["gain", "-n", str(clip.level)]
        quiet = [] if clip.level is None else ["gain", "-n", "-6"]
        subprocess.run(["sox", "-V1", raw, "-b", "16", "-c", "2", path, *quiet, *clip.effects,
                        "trim", str(clip.cut), str(clip.seconds), "fade", "t", "0.002", str(clip.seconds), "0.05",
                        *level], check=True)
