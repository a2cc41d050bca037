"""train_presence.py OUT.rs|- FOLDER=TRUTH...: trains the model that says whether there is a key; writes its lines of OUT.rs."""
import json, os, re, sys
import numpy as np
from scipy.optimize import minimize

L2 = 3e-4


def load(pairs):
    x, y = [], []
    for folder, truth in (pair.split("=") for pair in pairs):
        about = json.load(open(os.path.join(folder, "about.json")))
        for t in json.load(open(truth)):
            a = about.get(t["file"][:-4])
            if a and a.get("presence"):
                x.append(a["presence"])
                y.append(bool(t["key"]))
    return np.array(x), np.array(y, dtype=float)


def main():
    x, y = load(sys.argv[2:])
    weight = np.where(y > 0, 0.5 / y.sum(), 0.5 / (1 - y).sum())

    def cost(v):
        p = 1 / (1 + np.exp(-(x @ v[:-1] + v[-1])))
        loss = -(weight * (y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12))).sum() + L2 * (v[:-1] ** 2).sum()
        d = weight * (p - y)
        return loss, np.concatenate([x.T @ d + 2 * L2 * v[:-1], [d.sum()]])

    v = minimize(cost, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    p = 1 / (1 + np.exp(-(x @ v[:-1] + v[-1])))
    print(len(y), "clips,", int((1 - y).sum()), "without key; keyed below 0.3:", int((p[y > 0] < 0.3).sum()), "others above:", int((p[y == 0] > 0.3).sum()))
    if sys.argv[1] != "-":
        numbers = ", ".join(f"{w:.3f}" for w in v[:-1])
        text = re.sub(r"(PRESENCE: \[f32; PRESENCE_COUNT\] =\s*)\[[^\]]*\]", rf"\g<1>[{numbers}]", open(sys.argv[1]).read())
        open(sys.argv[1], "w").write(re.sub(r"(PRESENCE_BIAS: f32 = )[-0-9.]+", rf"\g<1>{v[-1]:.3f}", text))


if __name__ == "__main__":
    main()
