import { Code, ConnectError } from "@connectrpc/connect";
import { Eye, EyeOff } from "lucide-react";
import { useId, useState, type FormEvent, type InputHTMLAttributes } from "react";
import { session } from "../../api/services.js";
import { text } from "../../messages/en.js";
import { Button, IconButton, Mark } from "../../ui/controls.js";

const t = text.signIn;

export function messageOf(error: unknown): string {
  const failure = ConnectError.from(error);
  if (failure.code === Code.Unauthenticated) return t.wrong;
  if (failure.code === Code.ResourceExhausted) return t.tooMany;
  if (failure.code === Code.Unavailable || failure.code === Code.Unknown || failure.code === Code.DeadlineExceeded) return t.away;
  return failure.rawMessage;
}

/** Signs in; what is wrong is said at the form and the password can be seen. */
export function SignIn({ ended }: { readonly ended: boolean }) {
  const [user, setUser] = useState("admin");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (user === "" || password === "") {
      setError(t.missing);
      return;
    }
    setBusy(true);
    setError("");
    try {
      await session.signIn(user, password);
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
        <p className="muted">{ended ? t.ended : t.lead}</p>
        <Field label={t.user} value={user} onChange={(event) => setUser(event.target.value)} autoComplete="username" autoCapitalize="none" spellCheck={false} maxLength={128} />
        <PasswordField label={t.password} value={password} onChange={setPassword} autoComplete="current-password" autoFocus />
        <p className="gate-error bad" role="alert">
          {error}
        </p>
        <Button type="submit" look="primary" disabled={busy}>
          {busy ? t.busy : t.submit}
        </Button>
        <p className="gate-hint faint">{t.hint}</p>
      </form>
    </main>
  );
}

type FieldProps = InputHTMLAttributes<HTMLInputElement> & { readonly label: string };

export function Field({ label, ...input }: FieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} className="input" {...input} />
    </div>
  );
}

interface PasswordFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly autoComplete: "current-password" | "new-password";
  readonly autoFocus?: boolean;
  readonly describedBy?: string;
}

export function PasswordField({ label, value, onChange, autoComplete, autoFocus, describedBy }: PasswordFieldProps) {
  const id = useId();
  const [shown, setShown] = useState(false);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="input-with-button">
        <input
          id={id}
          className="input"
          type={shown ? "text" : "password"}
          value={value}
          maxLength={1024}
          autoComplete={autoComplete}
          autoFocus={autoFocus}
          aria-describedby={describedBy}
          spellCheck={false}
          onChange={(event) => onChange(event.target.value)}
        />
        <IconButton label={shown ? t.hide : t.show} aria-pressed={shown} onClick={() => setShown(!shown)}>
          {shown ? <EyeOff className="icon" /> : <Eye className="icon" />}
        </IconButton>
      </div>
    </div>
  );
}
