"""Renders a clip to train keys on: mono, at 22,050 Hz, all that pitch class profiles use."""
import subprocess
import tempfile


def render(clip, path):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        raw, midi = folder + "/raw.wav", folder + "/clip.mid"
        clip.write_midi(midi)
        subprocess.run(["fluidsynth", "-n", "-i", "-q", "-F", raw, "-r", "22050", "-T", "wav", "-O", "float", "-o",
                        "synth.dynamic-sample-loading=1", *clip.synth, clip.soundfont, midi], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["sox", "-V1", raw, "-b", "16", "-c", "1", path, "gain", "-n", "-6", *clip.effects, "trim", "0", str(clip.seconds),
                        "gain", "-n", str(clip.level)], check=True)
