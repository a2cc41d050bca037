"""Trains the chord model: for each quality one weight for each pitch class above the root, in the bass and above."""
import numpy as np
from scipy.optimize import minimize
from data import QUALITIES, frame_chords

Q = len(QUALITIES)


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)


def frame_features(chroma):
    return np.concatenate([unit(chroma[:, :12]), unit(chroma[:, 12:])], axis=1)


def level(chroma):
    return np.log1p(chroma.sum(axis=1))


def rotated(x):
    """(n, 12, 24): x as seen from each root."""
    out = np.empty((len(x), 12, 24))
    for r in range(12):
        out[:, r, :12] = np.roll(x[:, :12], -r, axis=1)
        out[:, r, 12:] = np.roll(x[:, 12:], -r, axis=1)
    return out


def unpack(v):
    return v[:Q * 24].reshape(Q, 24), v[Q * 24:Q * 25], v[Q * 25:]


def logits(v, rot, lev):
    w, b, n = unpack(v)
    scores = (rot.reshape(-1, 24) @ w.T).reshape(len(rot), 12, Q) + b
    none = n[0] + n[1] * lev
    return np.concatenate([scores.reshape(len(rot), 12 * Q), none[:, None]], axis=1)


def train(clips, l2=2e-4, step=3, start=None, iterations=80, feature="chroma"):
    xs, ls, ys = [], [], []
    for clip in clips:
        chroma = clip[feature]
        roots, qualities = frame_chords(clip, len(chroma))
        keep = (qualities >= -1)
        keep[np.arange(len(keep)) % step != 0] = False
        target = np.where(roots >= 0, roots * Q + qualities, 12 * Q)
        xs.append(frame_features(chroma)[keep]); ls.append(level(chroma)[keep]); ys.append(target[keep])
    x, lev, y = np.concatenate(xs), np.concatenate(ls), np.concatenate(ys)
    rot = rotated(x)
    count = len(y)

    def cost(v):
        z = logits(v, rot, lev)
        z -= z.max(axis=1, keepdims=True)
        e = np.exp(z)
        p = e / e.sum(axis=1, keepdims=True)
        loss = -np.log(np.maximum(p[np.arange(count), y], 1e-30)).mean() + l2 * (v[:Q * 24] ** 2).sum()
        p[np.arange(count), y] -= 1
        p /= count
        d = p[:, :-1].reshape(-1, Q)
        gw = d.T @ rot.reshape(-1, 24) + 2 * l2 * unpack(v)[0]
        return loss, np.concatenate([gw.ravel(), d.sum(axis=0), [p[:, -1].sum(), (p[:, -1] * lev).sum()]])

    v = np.zeros(Q * 25 + 2) if start is None else start
    v = minimize(cost, v, jac=True, method="L-BFGS-B", options={"maxiter": iterations}).x
    return v


def log_probabilities(v, chroma):
    z = logits(v, rotated(frame_features(chroma)), level(chroma))
    z[chroma.sum(axis=1) < 1e-6, -1] += 50
    z -= z.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def viterbi(lp, change=-6.0):
    """Staying costs nothing, changing costs the same whatever the chords."""
    score = lp[0].copy()
    back = np.empty(lp.shape, int)
    own = np.arange(lp.shape[1])
    for t in range(len(lp)):
        if t:
            best = score.argmax()
            jump = score[best] + change
            back[t] = np.where(score >= jump, own, best)
            score = np.maximum(score, jump) + lp[t]
    path = np.empty(len(lp), int)
    path[-1] = score.argmax()
    for t in range(len(lp) - 1, 0, -1):
        path[t - 1] = back[t][path[t]]
    return path


def segments(path, hop_s, duration_s):
    out = []
    for t, state in enumerate(path):
        start = max(0.0, (t - 0.5) * hop_s)
        if out and out[-1][2] == state:
            continue
        if out:
            out[-1][1] = start
        out.append([start, duration_s, state])
    return [(s, min(e, duration_s), st) for s, e, st in out if s < duration_s]


def label(state):
    names = "C Db D Eb E F Gb G Ab A Bb B".split()
    return "N" if state == 12 * Q else names[state // Q] + ":" + QUALITIES[state % Q]


def score(clips, v, change=-6.0, feature="chroma"):
    import mir_eval
    import warnings
    warnings.simplefilter("ignore")
    rows = []
    for clip in clips:
        if not clip["chords"]:
            continue
        path = viterbi(log_probabilities(v, clip[feature]), change)
        est = segments(path, clip["hop_s"], clip["duration_s"])
        ref = clip["chords"]
        s = mir_eval.chord.evaluate(np.array([r[:2] for r in ref]), [r[2] for r in ref], np.array([e[:2] for e in est]), [label(e[2]) for e in est])
        rows.append((s["majmin"], s["sevenths"], s["seg"]))
    return np.nanmean(np.array(rows), axis=0)
