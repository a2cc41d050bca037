"""Names of notes, keys and chords."""
import re

MAJOR_KEYS = "C Db D Eb E F F# G Ab A Bb B".split()
MINOR_KEYS = "Cm C#m Dm Ebm Em Fm F#m Gm G#m Am Bbm Bm".split()
SHAPES = {
    "maj": (0, 4, 7), "min": (0, 3, 7), "7": (0, 4, 7, 10), "min7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11), "hdim7": (0, 3, 6, 10), "dim": (0, 3, 6), "sus4": (0, 5, 7),
}
ROMAN = {"i": 0, "ii": 2, "iii": 4, "iv": 5, "v": 7, "vi": 9, "vii": 11}
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic": (0, 2, 3, 5, 7, 8, 11), "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10), "blues": (0, 3, 5, 6, 7, 10),
}


def key_name(tonic, minor):
    return (MINOR_KEYS if minor else MAJOR_KEYS)[tonic % 12]


def numeral(text):
    """'bVI', 'ii7', 'Imaj7', 'iih7' -> (semitones above the tonic, quality). Degrees count from the major scale."""
    flat, roman, tail = re.fullmatch(r"([b#]?)([ivIV]+)(maj7|h7|7|o|sus4)?", text).groups()
    root = ROMAN[roman.lower()] + {"": 0, "b": -1, "#": 1}[flat]
    small = roman.islower()
    quality = {None: "min" if small else "maj", "7": "min7" if small else "7",
               "maj7": "maj7", "h7": "hdim7", "o": "dim", "sus4": "sus4"}[tail]
    return root % 12, quality


def label(root, quality):
    return MAJOR_KEYS[root % 12] + ":" + quality
