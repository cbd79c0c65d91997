import { Code, ConnectError } from "@connectrpc/connect";
import { Eye, EyeOff } from "lucide-react";
import { useId, useState, type FormEvent, type InputHTMLAttributes, type ReactNode } from "react";
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
  return (
    <GateForm
      title={t.title}
      lead={ended ? t.ended : t.lead}
      submit={t.submit}
      busy={t.busy}
      check={() => (user === "" || password === "" ? t.missing : "")}
      send={() => session.signIn(user, password)}
      hint={
        <>
          {t.hint} <code>{t.resetCommand}</code>
        </>
      }
    >
      <Field label={t.user} value={user} onChange={(event) => setUser(event.target.value)} autoComplete="username" autoCapitalize="none" spellCheck={false} maxLength={128} />
      <PasswordField label={t.password} value={password} onChange={setPassword} autoComplete="current-password" autoFocus />
    </GateForm>
  );
}

interface GateFormProps {
  readonly title: string;
  readonly lead: string;
  /** The button's words, and while the server is asked. */
  readonly submit: string;
  readonly busy: string;
  /** What is wrong with the input, or an empty string. */
  readonly check: () => string;
  readonly send: () => Promise<void>;
  readonly hint?: ReactNode;
  readonly children: ReactNode;
}

/** The form before the app: says what is wrong, and can be sent once at a time. */
export function GateForm({ title, lead, submit, busy, check, send, hint, children }: GateFormProps) {
  const [sending, setSending] = useState(false);
  const [error, setError] = useState("");
  const onSubmit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const wrong = check();
    setError(wrong);
    if (wrong !== "") return;
    setSending(true);
    try {
      await send();
    } catch (failure) {
      setError(messageOf(failure));
      setSending(false);
    }
  };
  return (
    <main className="gate">
      <form className="gate-card" onSubmit={(event) => void onSubmit(event)} noValidate>
        <Mark className="gate-mark" />
        <h1>{title}</h1>
        <p className="muted">{lead}</p>
        {children}
        <p className="gate-error bad" role="alert">
          {error}
        </p>
        <Button type="submit" look="primary" disabled={sending}>
          {sending ? busy : submit}
        </Button>
        {hint !== undefined && <p className="gate-hint faint">{hint}</p>}
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
