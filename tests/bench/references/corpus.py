"""Makes the corpus: game music of Debian packages, each track cut into two halves as 16-bit WAV.

    corpus.py FOLDER

needs apt-get, dpkg-deb and ffmpeg. FOLDER/music gets the packages' audio, FOLDER/halves `NUMBER-a.wav` and
`NUMBER-b.wav`, FOLDER/tracks.json what is what.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PACKAGES = """wesnoth-1.16-music warzone2100-music hyperrogue-music hedgewars-data freedroidrpg-data asc-music
supertux-data fretsonfire-songs-sectoid fretsonfire-songs-muldjord singularity-music xmoto-data frozen-bubble-data
extremetuxracer-data lincity-ng-data trackballs-data flare-game btanks-data warmux-data marsshooter-data
torus-trooper-data parsec47-data gunroar-data titanion-data mu-cade-data noiz2sa-data tumiki-fighters-data
a7xpg-data zaz-data pathological naev-data megaglest-data widelands-data supertuxkart-data unknown-horizons
starfighter-data lugaru-data performous raincat-data""".split()
KINDS = [".ogg", ".mp3", ".flac", ".wav", ".opus", ".oga"]
# Tracks of a package, so that no game is most of the corpus.
TRACKS_MAX = 30
# Tracks of the corpus that the committed constants come from; more packages are listed than it needs.
CORPUS_MAX = 302
# Shorter ones are jingles and effects; of longer ones the middle is taken.
DURATION_S = (40.0, 240.0)


def unpack(package, root):
    folder = root / "music" / package
    if folder.exists():
        return
    subprocess.run(["apt-get", "download", package], cwd=root, check=True, stdout=subprocess.DEVNULL)
    archive = next(root.glob(package + "_*.deb"))
    folder.mkdir(parents=True)
    pack = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE)
    names = ["*" + kind for kind in KINDS]
    # tar fails where a kind is not there.
    subprocess.run(["tar", "-x", "-C", folder, "--wildcards", *names], stdin=pack.stdout, stderr=subprocess.DEVNULL)
    archive.unlink()


def duration_s(path):
    ask = ["ffprobe", "-v", "quiet", "-show_entries", "format=duration", "-of", "csv=p=0", path]
    text = subprocess.run(ask, capture_output=True, text=True).stdout.strip()
    return float(text) if text not in ("", "N/A") else 0.0


def tracks(package, root):
    """One file a name: some games have the same music twice."""
    files = [p for p in sorted((root / "music" / package).rglob("*")) if p.suffix.lower() in KINDS]
    files = [p for p in files if p.is_file() and not p.is_symlink() and p.stat().st_size > 300_000]
    files = list({p.stem: p for p in files}.values())
    with ThreadPoolExecutor(2) as pool:
        long = [(p, d) for p, d in zip(files, pool.map(duration_s, files)) if d >= DURATION_S[0]]
    return long[:TRACKS_MAX]


def cut(track, start_s, length_s, out):
    if not out.exists():
        span = ["-ss", f"{start_s:.3f}", "-t", f"{length_s:.3f}"]
        part = out.with_suffix(".part")
        make = ["ffmpeg", "-v", "error", "-y", "-threads", "1", "-i", track, *span, "-map", "0:a:0", "-f", "wav", part]
        subprocess.run(make, check=True)
        part.rename(out)


def main():
    root = Path(sys.argv[1])
    (root / "halves").mkdir(parents=True, exist_ok=True)
    about = []
    for package in PACKAGES:
        if len(about) == CORPUS_MAX:
            break
        unpack(package, root)
        for path, length_s in tracks(package, root)[: CORPUS_MAX - len(about)]:
            used_s = min(length_s, DURATION_S[1])
            start_s, half_s = (length_s - used_s) / 2, used_s / 2
            number = f"{len(about):03}"
            cut(path, start_s, half_s, root / "halves" / f"{number}-a.wav")
            cut(path, start_s + half_s, half_s, root / "halves" / f"{number}-b.wav")
            about.append({"number": number, "package": package, "name": path.name, "half_s": half_s})
    (root / "tracks.json").write_text(json.dumps(about, indent=1))
    print(len(about), "tracks,", round(sum(one["half_s"] for one in about) / 30), "minutes")


main()
