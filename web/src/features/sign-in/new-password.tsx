import { useId, useState, type FormEvent } from "react";
import { session } from "../../api/services.js";
import { text } from "../../messages/en.js";
import { Button, Mark } from "../../ui/controls.js";
import { messageOf, PasswordField } from "./sign-in.js";

const t = text.newPassword;
const SHORTEST = 12;

/** The forced change of a one-time password. */
export function NewPassword({ oneTimePassword }: { readonly oneTimePassword: string }) {
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const rule = useId();
  const left = SHORTEST - new TextEncoder().encode(password).length;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (left > 0) return setError(t.rule);
    if (password !== again) return setError(t.differ);
    if (password === oneTimePassword) return setError(t.same);
    setBusy(true);
    setError("");
    try {
      await session.changePassword(oneTimePassword, password);
    } catch (failure) {
      setError(messageOf(failure));
      setBusy(false);
    }
  };
  return (
    <main className="gate">
      <form className="gate-card" onSubmit={(event) => void submit(event)} noValidate>
        <Mark className="gate-mark" />
        <h1>{t.title}</h1>
        <p className="muted">{t.lead}</p>
        <PasswordField label={t.new} value={password} onChange={setPassword} autoComplete="new-password" autoFocus describedBy={rule} />
        <p id={rule} className={left <= 0 ? "field-note good" : "field-note muted"}>
          {password === "" ? t.rule : left > 0 ? t.short(left) : t.enough}
        </p>
        <PasswordField label={t.again} value={again} onChange={setAgain} autoComplete="new-password" />
        <p className="gate-error bad" role="alert">
          {error}
        </p>
        <Button type="submit" look="primary" disabled={busy}>
          {busy ? t.busy : t.submit}
        </Button>
      </form>
    </main>
  );
}
