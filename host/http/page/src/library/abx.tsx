// A blind test: X is one of the two files, drawn anew each time. Who hears a difference is right more often than chance.

import { useState } from "preact/hooks";
import { Button, Hint } from "../ui";
import type { Deck } from "./deck";

function coin(): number {
  return crypto.getRandomValues(new Uint8Array(1))[0]! & 1;
}

/** Chance of as many right answers, or more, by guessing: the tail of the binomial distribution. */
export function chance(right: number, total: number): number {
  let sum = 0;
  let ways = 1;
  for (let k = 0; k <= total; k += 1) {
    if (k >= right) sum += ways;
    ways = (ways * (total - k)) / (k + 1);
  }
  return sum / 2 ** total;
}

export function Abx({ deck, labels, isMatched }: { deck: Deck; labels: string[]; isMatched: boolean }) {
  const [x, setX] = useState(coin);
  const [heard, setHeard] = useState<"A" | "B" | "X">("X");
  const [answers, setAnswers] = useState<boolean[]>([]);
  const right = answers.filter(Boolean).length;
  const listen = (what: "A" | "B" | "X") => {
    setHeard(what);
    deck.switchTo(what === "A" ? 0 : what === "B" ? 1 : x);
    if (!deck.isPlaying.value) void deck.play();
  };
  const answer = (index: number) => {
    const next = coin();
    setAnswers([...answers, index === x]);
    setX(next);
    setHeard("X");
    deck.switchTo(next);
  };
  const p = answers.length ? chance(right, answers.length) : 1;
  return (
    <div
      class="abx"
      role="group"
      aria-label="Blind test"
      onKeyDown={(event) => {
        const key = event.key.toUpperCase();
        if (key === "A" || key === "B" || key === "X") {
          listen(key);
          event.stopPropagation();
        }
      }}
    >
      <div class="ab" role="group" aria-label="Listen to">
        {(["A", "B", "X"] as const).map((what) => (
          <button key={what} type="button" aria-pressed={heard === what} onClick={() => listen(what)}>
            <kbd>{what}</kbd> {what === "A" ? labels[0] : what === "B" ? labels[1] : "one of the two"}
          </button>
        ))}
      </div>
      <div class="row">
        <span>X is</span>
        <Button kind="main" onClick={() => answer(0)}>A</Button>
        <Button kind="main" onClick={() => answer(1)}>B</Button>
        <span role="status">
          {answers.length > 0 && (
            <>
              <strong>{right} of {answers.length} right.</strong>{" "}
              <span class="faint">
                {answers.length < 5 ? "Ten or more answers say something." : p < 0.05 ? `You hear a difference: guessing does as well in ${(p * 100).toFixed(1)} % of tests.` : `Not different from guessing so far (${Math.round(p * 100)} %).`}
              </span>
            </>
          )}
        </span>
        {answers.length > 0 && <Button kind="quiet" onClick={() => setAnswers([])}>Start over</Button>}
      </div>
      {!isMatched && <Hint>Both play at their own level: the louder one gives itself away.</Hint>}
    </div>
  );
}
