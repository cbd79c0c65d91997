import { useId, useState } from "react";
import { session } from "../../api/services.js";
import { text } from "../../messages/en.js";
import { GateForm, PasswordField } from "./sign-in.js";

const t = text.newPassword;
const SHORTEST = 12;

/** The forced change of a one-time password. */
export function NewPassword({ oneTimePassword }: { readonly oneTimePassword: string }) {
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const rule = useId();
  const left = SHORTEST - new TextEncoder().encode(password).length;
  const wrong = (): string => (left > 0 ? t.rule : password !== again ? t.differ : password === oneTimePassword ? t.same : "");
  return (
    <GateForm title={t.title} lead={t.lead} submit={t.submit} busy={t.busy} check={wrong} send={() => session.changePassword(oneTimePassword, password)}>
      <PasswordField label={t.new} value={password} onChange={setPassword} autoComplete="new-password" autoFocus describedBy={rule} />
      <p id={rule} className={left <= 0 ? "field-note good" : "field-note muted"}>
        {password === "" ? t.rule : left > 0 ? t.short(left) : t.enough}
      </p>
      <PasswordField label={t.again} value={again} onChange={setAgain} autoComplete="new-password" />
    </GateForm>
  );
}
