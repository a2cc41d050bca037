"""variety.py OUT_DIR COUNT [SEED]: renders more keyed clips than the bed has, with forms of two sections, other
progressions, cadences at the end and melodies that come to rest. Uses the bed's clip and band."""
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bed"))
from chord import SCALES, key_name, label, numeral  # noqa: E402
from clip import Clip  # noqa: E402
import generator_train as bed  # noqa: E402
from render_clip import render  # noqa: E402

MAJOR = """I IV V I|I V vi IV|I vi IV V|vi IV I V|I IV I V|I iii IV V|I ii IV V|I IV ii V|IV I V vi|I V IV V|I bVII IV I
ii7 V7 Imaj7 vi7|ii7 V7 Imaj7 Imaj7|Imaj7 vi7 ii7 V7|I7 IV7 I7 V7|I I7 IV iv|I iii vi IV|I V vi iii IV I IV V|IV V I I|I V7 I V7
I IV vi V|vi V IV V|I II IV I|iii vi ii V|I I IV V|I V ii IV|Imaj7 IVmaj7 iii7 ii7|I I7 IV V7|IV V iii vi|I bVI bVII I|I bIII IV I
I vi ii V7|IV I IV V|V IV I I|I Isus4 I V|vi ii V I|IVmaj7 V7 iii7 vi7|I IV V IV|I V vi IV I V IV V""".replace("\n", "|").split("|")
MINOR = """i iv V i|i bVI bIII bVII|i bVII bVI bVII|i iv v i|i bVI iv V|i bVII bVI V|i iv bVII bIII|i v bVI bVII|i bIII bVII iv|i7 iv7 V7 i7
iih7 V7 i7 i7|i7 IV7 i7 IV7|i V i V|i iv i V|i bVI bVII i|i iv bVI V|i bIII bVI V|i bVII i bVII|i i iv V|bVI bVII i i|iv bVII bIII V
i bII i bII|i bVI bIII V|i iv bVI bVII|i iio V i|i v iv v|i bVII iv i|bVI iv i V|i7 i7 iv7 V7|i bVI i V|iv V i i|i bIII IV bVI|i V7 bVI iv""".replace("\n", "|").split("|")


def extend(numerals_text):
    return [numeral(n) for n in numerals_text.split()]


def make(number, seed):
    rng = random.Random(f"variety {seed} {number}")
    minor = rng.random() < 0.5
    tonic = rng.randrange(12)
    pool = MINOR if minor else MAJOR
    verse = rng.choice(pool)
    chorus = rng.choice(pool) if rng.random() < 0.5 else verse
    style = rng.choice(["rock", "four-on-the-floor", "hip-hop", "ballad", "latin", "half-time", "shuffle", "waltz", "no drums", "breakbeat", "6/8"])
    meter, slow, fast, comps, basses, programs, bass_programs = bed.STYLES[style]
    key = key_name(tonic, minor)
    clip = Clip(f"v{seed}_{number:04d}_{key.replace('#', 's')}.wav", "key", style, "variety", seconds=rng.uniform(20, 34),
                tempo=round(rng.uniform(slow, fast), 1), meter=meter, key=key)
    if rng.random() < 0.3:
        clip.cents = rng.uniform(-38, 38)
    bars = int(clip.tempo / 60 * (clip.seconds - 1.5) / clip.bar)
    clip.lay_grid(rng.uniform(0.05, 0.6), bars + 3)
    band = bed.Band(clip, rng, rng.uniform(0.002, 0.01))
    per = rng.choice([1, 1, 1, 2, 0.5]) if clip.tempo < 130 else rng.choice([1, 1, 2])
    if clip.bar == 3:
        per = max(per, 1)
    ending = rng.random() < 0.5
    sections = []
    chords = []
    forms = [extend(verse), extend(chorus)]
    at, section = 0.0, 0
    while at < bars:
        form = forms[section % 2]
        for _ in range(rng.choice([1, 2, 2])):
            for degree in form:
                chords.append((at, at + per, (tonic + degree[0]) % 12, degree[1]))
                at += per
        section += 1
    chords = [c for c in chords if c[0] < bars]
    if rng.random() < 0.2:                        # the recording begins in the middle
        cut = rng.randrange(1, 4)
        chords = [(a - cut * per, b - cut * per, r, q) for a, b, r, q in chords[cut:]]
    if ending:
        last = chords[-1]
        quality = "min" if minor and rng.random() < 0.9 else "maj"
        chords.append((last[1], last[1] + 2, tonic, quality))
    patterns, rhythm, walk = bed.DRUMS[style], rng.choice(comps), rng.choice(basses)
    pattern = rng.choice(patterns)
    first = rng.choice(list(range(0, 8)) + [16, 19, 24, 25, 26, 27, 29, 48, 50, 81, 89, 90, 4, 0, 11, 46, 61])
    second = rng.choice([16, 48, 49, 89, 50, 52, 62, 0, 4, 88])
    two = rng.random() < 0.5
    clip.programs = {0: first, 1: rng.choice([32, 33, 34, 35, 36, 38, 39, 43, 58]), 2: second, 3: rng.choice([73, 65, 80, 56, 11, 52, 53, 0, 27, 40, 71, 22])}
    clip.controls = {0: {7: rng.randint(60, 95)}, 1: {7: rng.randint(70, 115)}, 2: {7: rng.randint(45, 85)}, 3: {7: rng.randint(60, 105)}, 9: {7: rng.randint(50, 125)}}
    drums = style != "no drums" and rng.random() < 0.85
    bass = rng.random() < 0.85
    lift = rng.choice([0, 0, 0, 12, -12])
    spread = rng.random() < 0.3
    before = None
    arpeggio = rng.random() < 0.3
    for index, (start, end, root, quality) in enumerate(chords):
        clip.chord(start * clip.bar, end * clip.bar, label(root, quality))
        before = band.voicing(root, quality, before)
        voiced = [p + lift + (12 if spread and i % 2 else 0) for i, p in enumerate(before)]
        after = chords[index + 1][2] if index + 1 < len(chords) else root
        bar = start
        while bar < end - 1e-6:
            span = min(1.0, end - bar) * clip.bar
            final = ending and index == len(chords) - 1
            band.comp(0, bar * clip.bar, span, "x" + "." * (len(rhythm) - 1) if final else rhythm, voiced, arpeggio and not final)
            if two:
                band.comp(2, bar * clip.bar, span, "x" + "." * (len(rhythm) - 1), [p + 12 for p in before], False, 66)
            if bass:
                band.bass(bar * clip.bar, span, "r" + "." * 7 if final else walk, root, quality, after)
            if drums and not final and bar == int(bar):
                band.drums(int(bar), pattern, rng.random() < 0.1 and clip.bar == 4, crash=int(bar) % 8 == 0)
            bar += span / clip.bar

    def chord_at(quarter):
        for start, end, root, quality in chords:
            if start * clip.bar <= quarter < end * clip.bar:
                return root, quality
        return chords[-1][2:]

    if rng.random() < 0.75:
        dominant = any(d in ((7, "maj"), (7, "7")) for f in forms for d in f)
        scale = SCALES["harmonic" if minor and dominant else "minor" if minor else "major"]
        if "bVII" in verse and not minor:
            scale = SCALES["mixolydian"]
        band.melody(3, min(bars, chords[-1][1]), chord_at, scale, tonic, low=rng.choice([55, 60, 62]), high=rng.choice([79, 84]))
        rest = [p for p in range(60, 80) if p % 12 == tonic]
        for bar in range(3, bars, 8 if rng.random() < 0.5 else 4):          # comes to rest
            if chord_at((bar + 1) * clip.bar)[0] == tonic and rng.random() < 0.7:
                band.play(3, (bar + 1) * clip.bar, clip.bar * 0.9, rng.choice(rest), 95)
    clip.details.update(progression=verse, chorus=chorus, timbre="variety", ending=ending)
    return bed.master(clip, rng)


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
