"""songs.py OUT_DIR COUNT [SEED]: renders keyed clips by other rules than the bed and variety.py: modal rock, borrowed chords, loops
that begin off the tonic, bass lines of pop, melodies of question and answer, other sound fonts. Neither halves of the bed are
made of it."""
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bed"))
from chord import SCALES, SHAPES, key_name, label, numeral  # noqa: E402
from clip import Clip  # noqa: E402
import generator_train as bed  # noqa: E402
from render_clip import render  # noqa: E402

FONTS = ["/usr/share/sounds/sf3/MuseScore_General.sf3", bed.FONT, bed.FONT, "/usr/share/sounds/sf2/OPL-3_FM_128M.sf2", "/usr/share/sounds/sf2/OPL-3_FM_128M.sf2"]

# Kind of song: (progressions, scale of its melody). One of each kind is as likely as one of another.
MAJOR = {
    "mixolydian": ("I bVII IV I|I I bVII IV|I bVII I bVII|I v IV I|I IV bVII IV|bVII IV I I|I bVII IV bVII|I v bVII IV|IV bVII I I|I bVII ii IV|I7 bVII IV I7", "mixolydian"),
    "borrowed": ("I iv I V|I bIII IV I|I bVI bVII I|I III IV iv|IV iv I I|I bVI IV I|I IV bVI bVII|I bIII bVII IV|I vi bVI bVII|I II IV iv|I bVII bVI bVII", "major"),
    "off the tonic": ("IV V iii vi|IV I V vi|vi V IV V|IV V I I|ii V I I|IV V vi I|vi IV I V|ii IV I V|IV vi I V|vi I V IV|iii vi IV I|V IV I I|IV I IV V|ii7 V7 Imaj7 Imaj7", "major"),
    "plain": ("I V vi IV|I IV V IV|I vi IV V|I I IV V|I iii IV V|I IV I V|I IV ii V|I V IV I|I ii IV I|I IV vi V|I vi ii V7|I V7 I I", "major"),
}
MINOR = {
    "aeolian": ("i bVI bIII bVII|i bVII bVI bVII|i iv bVI bVII|i bIII bVII bVI|i v bVI iv|i bVII iv i|i bIII iv bVI|i v iv i", "minor"),
    "dorian": ("i IV i IV|i bVII IV i|i bIII IV i|i7 IV7 i7 IV7|i bVII i IV|i ii bIII IV", "dorian"),
    "harmonic": ("i iv V i|i bVI iv V|i bVII bVI V|i V i V|i bVI bIII V|i iv i V7|iio V i i|i V7 bVI iv", "harmonic"),
    "off the tonic": ("bVI bVII i i|iv i V i|bVI bIII bVII i|bIII bVII i bVI|iv bVII bIII bVI|bVI iv i i|bVII bVI i i|bVI bVII i bIII|iv V i i|bVI V i i", "minor"),
    "phrygian": ("i bII i bII|i bII bVII i|i bII bIII bII|i bVII bII i", "phrygian"),
}
SCALES = dict(SCALES, phrygian=(0, 1, 3, 5, 7, 8, 10))
BASSES = ["r.r.r.r.r.r.r.r.", "r...............", "r.....r.....r...", "r...r...f...r...", "r..r..o.r..r..o.", "r.....f...r.a...", "r.o.r.o.r.o.r.o.",
          "..r...r...r...r.", "rrrrrrrrrrrrrrrr", "r...t...f...a...", "r.......f......."]
COMPS = ["x...............", "x.......x.......", "x...x...x...x...", "x.x.x.x.x.x.x.x.", "x..x..x...x.x...", "..x...x...x...x.", "....x.......x...", "x..x..x.x..x..x."]
CELLS = [[1, 1], [0.5, 0.5, 1], [1.5, 0.5], [0.5, 1, 0.5], [2], [0.5, 0.5, 0.5, 0.5], [0.75, 0.75, 0.5]]
CHORDS = [0, 1, 4, 5, 6, 7, 16, 17, 18, 19, 24, 25, 26, 27, 28, 29, 30, 46, 48, 50, 51, 61, 62, 63, 80, 81, 88, 89, 90, 91]
LEADS = [0, 11, 22, 24, 26, 27, 29, 30, 40, 52, 53, 54, 56, 60, 64, 65, 66, 71, 73, 75, 80, 81, 85]


def motif(rng, quarters):
    """Lengths of notes and steps between them, of so many quarters."""
    lengths = []
    while sum(lengths) < quarters - 1e-6:
        lengths += rng.choice(CELLS)
    return [(length, rng.choice([-2, -1, -1, -1, 1, 1, 1, 2, 0, rng.choice([-3, 3, 4])])) for length in lengths]


def sing(band, rng, phrases, scale, tonic, chord_at, sung_bars):
    """Phrases of four bars in pairs: the first ends on the second, third or fifth degree, the second mostly on the tonic."""
    low = rng.choice([55, 58, 60, 62, 65])
    ladder = [p for p in range(low, low + 21) if (p - tonic) % 12 in scale]
    degree = lambda step: [i for i, p in enumerate(ladder) if (p - tonic) % 12 == scale[step]]
    near = lambda places, here: min(places, key=lambda i: abs(i - here))
    ideas, here = [motif(rng, 6), motif(rng, 6)], len(ladder) // 2
    faithful = rng.choice([0.5, 0.8, 1.0])
    for phrase in range(phrases):
        answer = phrase % 2 == 1
        for half in range(2):
            at = (phrase * 4 + half * 2) * 4.0
            if at >= (sung_bars - 2) * 4:
                return
            for length, step in ideas[half if rng.random() < 0.75 else 1 - half]:
                here = min(max(here + step, 0), len(ladder) - 1)
                root, quality = chord_at(at)
                if at % 1 == 0 and rng.random() < faithful:
                    tones = [i for i, p in enumerate(ladder) if (p - root) % 12 in SHAPES[quality]]
                    here = near(tones, here) if tones else here
                band.play(3, at, length * 0.9, ladder[here], 92 + rng.gauss(0, 8))
                at += length
            if half == 1:
                wanted = 0 if answer and rng.random() < 0.8 else rng.choice([1, 2, 4])
                root, quality = chord_at(at)
                fits = (scale[wanted] + tonic - root) % 12 in SHAPES[quality]
                here = near(degree(wanted) if fits or rng.random() < 0.4 else [i for i, p in enumerate(ladder) if (p - root) % 12 in SHAPES[quality]] or degree(wanted), here)
                band.play(3, at, rng.choice([1.5, 2.0]), ladder[here], 96)


def make(number, seed):
    rng = random.Random(f"songs {seed} {number}")
    minor = rng.random() < 0.5
    tonic, kinds = rng.randrange(12), MINOR if minor else MAJOR
    kind = rng.choice(sorted(kinds))
    pool, scale = kinds[kind][0].split("|"), SCALES[kinds[kind][1]]
    verse = rng.choice(pool)
    chorus = rng.choice(rng.choice([pool, kinds[rng.choice(sorted(kinds))][0].split("|")])) if rng.random() < 0.4 else verse
    key = key_name(tonic, minor)
    clip = Clip(f"s{seed}_{number:04d}_{key.replace('#', 's')}.wav", "key", kind, "songs", seconds=rng.uniform(20, 34), tempo=round(rng.uniform(76, 168), 1), key=key)
    if rng.random() < 0.2:
        clip.cents = rng.uniform(-38, 38)
    bars = int(clip.tempo / 60 * (clip.seconds - 1.0) / 4)
    clip.lay_grid(rng.uniform(0.02, 0.4), bars + 4)
    band = bed.Band(clip, rng, rng.uniform(0.002, 0.012))
    per = rng.choice([1, 1, 1, 2]) if clip.tempo > 110 else rng.choice([1, 1, 0.5])
    forms, chords, at, section = [[numeral(n) for n in text.split()] for text in (verse, chorus)], [], 0.0, 0
    while at < bars:
        form = forms[section % 2]
        for _ in range(2):
            for root, quality in form:
                chords.append((at, at + per, (tonic + root) % 12, quality))
                at += per
        section += 1
    skipped = rng.choice([0, 0, 0, 0, 0, 1, 2, 3]) * per             # the recording begins in the middle
    chords = [(a - skipped, b - skipped, root, quality) for a, b, root, quality in chords if a >= skipped and a - skipped < bars]
    ending = rng.random() < 0.4
    if ending:
        chords[-1] = (chords[-1][0], chords[-1][1], tonic, "min" if minor else "maj")

    def chord_at(quarter):
        for start, end, root, quality in chords:
            if start * 4 <= quarter < end * 4:
                return root, quality
        return chords[-1][2:]

    has_drums, has_bass, has_second = rng.random() < 0.8, rng.random() < 0.92, rng.random() < 0.5
    drums = rng.choice(bed.DRUMS[rng.choice(["rock", "four-on-the-floor", "hip-hop", "half-time", "breakbeat", "drum-and-bass", "latin"])])
    comp, line, pedal = rng.choice(COMPS), rng.choice(BASSES), rng.random() < 0.1
    first = rng.choice(CHORDS)
    power = first in (29, 30) and rng.random() < 0.6                # root and fifth of a distorted guitar
    clip.programs = {0: first, 1: rng.choice([32, 33, 34, 35, 36, 37, 38, 39, 87]), 2: rng.choice(CHORDS), 3: rng.choice(LEADS)}
    clip.controls = {0: {7: rng.randint(60, 100)}, 1: {7: rng.randint(75, 120)}, 2: {7: rng.randint(40, 85)}, 3: {7: rng.randint(65, 115)}, 9: {7: rng.randint(60, 125)}}
    lift, arpeggio, before = rng.choice([0, 0, 12, -12]), rng.random() < 0.25 and not power, None
    for index, (start, end, root, quality) in enumerate(chords):
        clip.chord(start * 4, end * 4, label(root, quality))
        before = band.voicing(root, quality, before)
        voiced = [p + lift for p in before]
        after = chords[index + 1][2] if index + 1 < len(chords) else root
        final, bar = ending and index == len(chords) - 1, start
        while bar < end - 1e-6:
            span = min(1.0, end - bar) * 4
            low = 40 + (root - 40) % 12
            band.comp(0, bar * 4, span, comp[:1] + "." * 15 if final else comp, [low, low + 7, low + 12] if power else voiced, arpeggio)
            if has_second:
                band.comp(2, bar * 4, span, "x" + "." * 15, [p + 12 for p in before], False, 66)
            if has_bass:
                band.bass(bar * 4, span, "r" + "." * 15 if final else line, tonic if pedal else root, quality if not pedal else "maj", tonic if pedal else after)
            if has_drums and not final and bar == int(bar):
                band.drums(int(bar), drums, rng.random() < 0.12, crash=int(bar) % 8 == 0 and rng.random() < 0.5)
            bar += span / 4
    if rng.random() < 0.85:
        sing(band, rng, bars // 4 + 1, scale, tonic, chord_at, bars)
    clip.details.update(progression=verse, chorus=chorus, timbre="songs", ending=ending)
    clip = bed.master(clip, rng)
    clip.soundfont = rng.choice(FONTS)
    return clip


def main():
    out, count, seed = sys.argv[1], int(sys.argv[2]), int((sys.argv + ["1"])[3])
    os.makedirs(out, exist_ok=True)
    truth = []
    for number in range(count):
        clip = make(number, seed)
        render(clip, os.path.join(out, clip.file))
        truth.append(clip.truth())
        if number % 20 == 19 or number == count - 1:
            json.dump(truth, open(os.path.join(out, "truth.json"), "w"))
            print(number, flush=True)


if __name__ == "__main__":
    main()
