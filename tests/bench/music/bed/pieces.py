"""pieces.py OUT PROGRAM [RESULTS.md]: pieces of the repertoire by their scores, rendered, and what `wavemill analyze` finds in them.

The scores are of music21's corpus (`pip install music21`), their keys those of their titles; the metronome is ours, near performances.
What is in OUT already is not rendered again. No one plays here: the tempo is steady, the dynamics are the score's.
"""
import json
import os
import subprocess
import sys
import warnings
import mir_eval
from clip import Clip
from render import DELAY, render
from score import FACTORS, key_words, tempo_error

warnings.filterwarnings("ignore")
FONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
SECONDS_MAX = 900.0
QUARTET, CHOIR, ORGAN, HARPSICHORD, PIANO, STRINGS, VIOLIN, FLUTE = [40, 40, 41, 42], [52], [19], [6], [0], [48], [40], [73]
PIECES = [  # score, part of a collection, key, quarters a minute, quarters in a beat and in a bar, General MIDI programs of its parts
    ("bach/bwv269", None, "G", 96, 1, 3, CHOIR), ("bach/bwv66.6", None, "F#m", 72, 1, 4, ORGAN),
    ("bach/bwv227.1", None, "Em", 69, 1, 4, CHOIR), ("bach/bwv1.6", None, "F", 76, 1, 4, ORGAN),
    ("bach/bwv7.7", None, "Bm", 66, 1, 4, STRINGS), ("bach/bwv846", None, "C", 66, 1, 4, HARPSICHORD),
    ("corelli/opus3no1/1grave", None, "F", 46, 1, 4, STRINGS),
    ("haydn/opus1no1/movement1", None, "Bb", 174, 1.5, 3, QUARTET), ("haydn/opus1no1/movement3", None, "Eb", 44, 1, 4, QUARTET),
    ("haydn/opus74no1/movement1", None, "C", 132, 1, 4, QUARTET),
    ("mozart/k155/movement1", None, "D", 126, 1, 4, QUARTET), ("mozart/k156/movement2", None, "Em", 50, 1, 4, QUARTET),
    ("mozart/k458/movement1", None, "Bb", 162, 1.5, 3, QUARTET), ("mozart/k545/movement1_exposition", None, "C", 132, 1, 4, PIANO),
    ("beethoven/opus18no1/movement1", None, "F", 150, 1, 3, QUARTET), ("beethoven/opus18no1/movement2", None, "Dm", 69, 1.5, 4.5, QUARTET),
    ("beethoven/opus59no2/movement1", None, "Em", 126, 1.5, 3, QUARTET), ("beethoven/opus59no3/movement4", None, "C", 168, 2, 4, QUARTET),
    ("schubert/Lindenbaum", None, "E", 66, 1, 3, PIANO), ("chopin/mazurka06-2", None, "C#m", 189, 1, 3, PIANO),
    ("schumann_robert/opus41no1/movement2", None, "Am", 189, 1.5, 3, QUARTET), ("schumann_robert/dichterliebe_no2", None, "A", 60, 1, 2, PIANO),
    ("schumann_clara/polonaise_op1n1", None, "Eb", 100, 1, 3, PIANO), ("joplin/maple_leaf_rag", None, "Ab", 92, 1, 2, PIANO),
    ("liliuokalani/aloha_oe", None, "G", 84, 1, 4, CHOIR), ("johnson_j_r/lift_every_voice", None, "Ab", 96, 1.5, 3, CHOIR),
    ("ryansMammoth/ArkansasTravellerReel", None, "D", 112, 1, 2, VIOLIN), ("airdsAirs/book1", 21, "G", 168, 1.5, 3, FLUTE),
    ("airdsAirs/book1", 15, "Am", 168, 1.5, 3, FLUTE), ("schoenberg/opus19/movement2", None, None, 60, 1, 4, PIANO),
]


def clip_of(piece):
    """The notes of a score at our metronome."""
    from music21 import corpus
    path, number, key, tempo, beat, bar, programs = piece
    score = corpus.parse(path, number=number).toSoundingPitch()
    clip = Clip(name(piece), "real", path.split("/")[0], path, tempo=float(tempo), key=key)
    clip.bar, clip.beat, clip.soundfont = float(bar), float(beat), FONT
    for part, stave in enumerate(score.parts):
        channel = part if part < 9 else part + 1
        clip.programs[channel] = programs[min(part, len(programs) - 1)]
        for note in stave.stripTies().flatten().notes:
            length = float(note.quarterLength) * 60 / tempo
            if length > 0:                                    # ornaments have none
                velocity = round(127 * note.volume.getRealized())
                for pitch in note.pitches:
                    clip.note(channel, 0.3 + float(note.offset) * 60 / tempo, length, pitch.midi, velocity)
    clip.seconds = min(max(start + length for start, length, *_ in clip.notes) + 1.5, SECONDS_MAX)
    clip.lay_grid(0.3, int(clip.seconds * tempo / 60 / bar) + 1)
    return clip


def name(piece):
    return piece[0].replace("/", "-") + (f"-{piece[1]}" if piece[1] else "") + ".wav"


def prepare(folder):
    """Renders what is missing; the truth is complete afterwards."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "truth.json")
    known = {t["file"]: t for t in json.load(open(path))} if os.path.exists(path) else {}
    truth = []
    for piece in PIECES:
        if name(piece) not in known:
            clip = clip_of(piece)
            render(clip, os.path.join(folder, clip.file))
            known[clip.file] = clip.truth(DELAY)
        truth.append(known[name(piece)])
        json.dump(truth, open(path, "w"))
    return truth


def tempo_verdict(truth, guess):
    if guess is None:
        return "none"
    if tempo_error(truth, guess, (1,)) <= 0.04:
        return "right"
    names = {1: "", 2: "double", 0.5: "half", 3: "triple", 1 / 3: "a third"}
    return next((names[f] for f in FACTORS if tempo_error(truth, guess, (f,)) <= 0.04), "other")


def key_verdict(truth, guess):
    if guess is None or truth is None:
        return "right" if guess == truth else "none" if guess is None else "has none"
    score = mir_eval.key.weighted_score(key_words(truth), key_words(guess))
    return {1.0: "right", 0.5: "fifth", 0.3: "relative", 0.2: "parallel"}.get(score, "other")


def table(truth, found):
    yield "| piece | quarters (beats) a minute | found | confidence | | key | found | confidence | |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for t in truth:
        rhythm, tonality = found[t["file"]]["rhythm"], found[t["file"]]["tonality"]
        tempo = f"{t['tempo_bpm']:g}" + (f" ({t['beat_bpm']:g})" if t["beat_bpm"] != t["tempo_bpm"] else "")
        guess = rhythm["tempo_bpm"]
        yield (f"| {t['file'][:-4]} | {tempo} | {'-' if guess is None else f'{guess:.1f}'} | {rhythm['confidence'] or 0:.2f} "
               f"| {tempo_verdict(t, guess)} | {t['key'] or '-'} | {tonality['key'] or '-'} | {tonality['confidence'] or 0:.2f} "
               f"| {key_verdict(t['key'], tonality['key'])} |")


def main():
    folder, program, *result = sys.argv[1:]
    truth = prepare(folder)
    files = [os.path.join(folder, t["file"]) for t in truth]
    words = [program, "analyze", "--json", "--no-cache", "--only", "rhythm,tonality", *files]
    found = json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)["files"]
    text = "\n".join(table(truth, {os.path.basename(f["path"]): f for f in found})) + "\n"
    open(result[0], "w").write(text) if result else print(text)


if __name__ == "__main__":
    main()
