// What a browser sees that the program does not know yet.

import { useEffect, useRef, useState } from "preact/hooks";
import { Problem, access, post, reason } from "./api";
import { loadJobs, loadPipelines, loadStatus } from "./store";
import { Button, Hint } from "./ui";

export function SignIn() {
  const [token, setToken] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = "Sign in \u00b7 Wavemill";
    field.current?.focus();
  }, []);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await post("/login", { token: token.trim() });
      access.value = "granted";
      await Promise.all([loadStatus(), loadJobs(), loadPipelines()]);
    } catch (problem) {
      const isWrong = problem instanceof Problem && problem.status === 401;
      setError(isWrong ? "This token is not right. Compare it with the file control.token." : reason(problem));
      setBusy(false);
      field.current?.focus();
    }
  };
  return (
    <main class="signin" id="main">
      <div class="panel">
        <h1><span class="brand">Wavemill</span></h1>
        <p>
          Open the link that <code>wavemill status</code> shows on the machine where Wavemill runs. It signs this browser in
          at once.
        </p>
        <form onSubmit={submit}>
          <label class="field block">
            <span>Or paste the token from the file <code>control.token</code> in its state folder</span>
            <input
              ref={field}
              type="password"
              autocomplete="current-password"
              spellcheck={false}
              required
              value={token}
              aria-invalid={error ? true : undefined}
              aria-describedby={error ? "signin-error" : undefined}
              onInput={(event) => setToken(event.currentTarget.value)}
            />
          </label>
          <div id="signin-error" role="alert">{error && <Hint kind="bad">{error}</Hint>}</div>
          <Button kind="main" type="submit" disabled={isBusy || !token.trim()}>Sign in</Button>
        </form>
      </div>
    </main>
  );
}
