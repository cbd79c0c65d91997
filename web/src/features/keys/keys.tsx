import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useId, useState, type FormEvent } from "react";
import { auth, session } from "../../api/services.js";
import { useObservable, usePlace } from "../../app/hooks.js";
import { setParams } from "../../app/router.js";
import { Role, type ApiKey } from "../../gen/rivermeet/auth/v1/auth_pb.js";
import { text } from "../../messages/en.js";
import { ErrorNotice } from "../../panels/error-notice.js";
import { Skeleton } from "../../panels/panel-state.js";
import { Button, CodeBlock } from "../../ui/controls.js";
import { Dialog } from "../../ui/dialog.js";
import { dateTime, relativeTime } from "../../ui/format.js";
import { toast } from "../../ui/toast.js";
import { Field } from "../sign-in/sign-in.js";
import { readCommand, sendCommand } from "./curl.js";

const t = text.keys;
const DAY_MS = 86_400_000;

/** The keys by which programs come in: made, shown once, revoked. */
export default function Keys() {
  const { params } = usePlace();
  const list = useQuery({ queryKey: ["keys"], queryFn: () => auth.listApiKeys({}), refetchInterval: 15_000 });
  const [revoking, setRevoking] = useState<ApiKey>();
  const keys = list.data?.keys ?? [];
  const denied = list.error !== null && ConnectError.from(list.error).code === Code.PermissionDenied;
  const create = (
    <Button look="primary" onClick={() => setParams({ new: "1" })}>
      <Plus className="icon" />
      {t.create}
    </Button>
  );
  return (
    <div className="page">
      <div className="page-head">
        <p className="muted">{denied ? t.noRight : t.lead}</p>
        {keys.length > 0 && create}
      </div>
      {list.isPending && (
        <section className="panel list">
          <Skeleton shape="rows" />
        </section>
      )}
      {list.error !== null && !denied && <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />}
      {list.isSuccess && keys.length === 0 && (
        <div className="page-empty">
          <KeyRound className="icon" aria-hidden="true" />
          <h2>{t.none}</h2>
          <p className="muted">{t.noneLead}</p>
          {create}
        </div>
      )}
      {keys.length > 0 && <KeyTable keys={keys} onRevoke={setRevoking} />}
      {params.get("new") === "1" && !denied && <CreateDialog onClose={() => setParams({ new: undefined }, true)} />}
      {revoking !== undefined && <RevokeDialog apiKey={revoking} onClose={() => setRevoking(undefined)} />}
    </div>
  );
}

function KeyTable({ keys, onRevoke }: { readonly keys: readonly ApiKey[]; readonly onRevoke: (key: ApiKey) => void }) {
  const now = Date.now();
  return (
    <section className="panel list">
      <div className="table-scroll" tabIndex={0} role="group" aria-label={t.title}>
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t.name}</th>
              <th scope="col">{t.role}</th>
              <th scope="col" className="wide-only">
                {t.id}
              </th>
              <th scope="col" className="wide-only">
                {t.created}
              </th>
              <th scope="col">{t.lastUsed}</th>
              <th scope="col" className="wide-only">
                {t.expires}
              </th>
              <th scope="col">
                <span className="visually-hidden">{t.revoke}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <tr key={key.id}>
                <th scope="row">{key.name}</th>
                <td>{text.account.roles[key.role]}</td>
                <td className="wide-only">
                  <code className="muted">{key.id}</code>
                </td>
                <td className="wide-only">
                  <Moment ms={key.created === undefined ? undefined : timestampMs(key.created)} now={now} absent="" /> <span className="faint">{key.createdBy === "" ? "" : t.by(key.createdBy)}</span>
                </td>
                <td>
                  <Moment ms={key.lastUsed === undefined ? undefined : timestampMs(key.lastUsed)} now={now} absent={t.notUsed} />
                </td>
                <td className="wide-only">
                  <Moment ms={key.expires === undefined ? undefined : timestampMs(key.expires)} now={now} absent={t.never} />
                </td>
                <td className="row-actions">
                  <Button look="quiet" onClick={() => onRevoke(key)} aria-label={t.revokeTitle(key.name)}>
                    {t.revoke}
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Moment({ ms, now, absent }: { readonly ms: number | undefined; readonly now: number; readonly absent: string }) {
  if (ms === undefined) return <span className="faint">{absent}</span>;
  return <span title={dateTime(ms)}>{relativeTime(ms, now)}</span>;
}

function CreateDialog({ onClose }: { readonly onClose: () => void }) {
  const client = useQueryClient();
  const state = useObservable(session.state);
  const ownRole = state.kind === "signed-in" ? state.person.role : Role.VIEWER;
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>(Role.EDITOR);
  const [days, setDays] = useState(0);
  const [missing, setMissing] = useState(false);
  const roleId = useId();
  const daysId = useId();
  const make = useMutation({
    mutationFn: () => auth.createApiKey({ name: name.trim(), role, ...(days === 0 ? {} : { expires: timestampFromMs(Date.now() + days * DAY_MS) }) }),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["keys"] }),
  });
  if (make.data !== undefined) {
    const { secret } = make.data;
    return (
      <Dialog title={t.madeTitle} onClose={onClose} wide footer={<Button look="primary" onClick={onClose}>{t.done}</Button>}>
        <p className="muted">{t.madeLead}</p>
        <CodeBlock code={secret} label={t.secret} />
        {role >= Role.EDITOR && (
          <>
            <h3 className="dialog-section">{t.tryIt}</h3>
            <CodeBlock code={sendCommand(secret)} label={t.tryIt} />
          </>
        )}
        <h3 className="dialog-section">{t.tryRead}</h3>
        <CodeBlock code={readCommand(secret)} label={t.tryRead} />
      </Dialog>
    );
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setMissing(name.trim() === "");
    if (name.trim() !== "") make.mutate();
  };
  const roles: readonly [Role, string][] = [
    [Role.VIEWER, t.roles.viewer],
    [Role.EDITOR, t.roles.editor],
    [Role.ADMIN, t.roles.admin],
  ];
  return (
    <Dialog
      title={t.create}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{text.actions.cancel}</Button>
          <Button look="primary" type="submit" form="create-key" disabled={make.isPending}>
            {make.isPending ? t.creating : t.create}
          </Button>
        </>
      }
    >
      <form id="create-key" className="form" onSubmit={submit} noValidate>
        <Field label={t.name} placeholder={t.namePlaceholder} value={name} maxLength={128} autoFocus onChange={(event) => setName(event.target.value)} />
        <div className="field">
          <label htmlFor={roleId}>{t.role}</label>
          <select id={roleId} className="input" value={role} onChange={(event) => setRole(Number(event.target.value) as Role)}>
            {roles
              .filter(([value]) => value <= ownRole)
              .map(([value, label]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={daysId}>{t.expires}</label>
          <select id={daysId} className="input" value={days} onChange={(event) => setDays(Number(event.target.value))}>
            <option value={0}>{t.never}</option>
            {[1, 7, 30, 90, 365].map((count) => (
              <option key={count} value={count}>
                {t.inDays(count)}
              </option>
            ))}
          </select>
        </div>
        <p className="bad" role="alert">
          {missing ? t.nameMissing : make.error === null ? "" : ConnectError.from(make.error).rawMessage}
        </p>
      </form>
    </Dialog>
  );
}

function RevokeDialog({ apiKey, onClose }: { readonly apiKey: ApiKey; readonly onClose: () => void }) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => auth.revokeApiKey({ id: apiKey.id }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["keys"] });
      toast(t.revoked(apiKey.name));
      onClose();
    },
  });
  return (
    <Dialog
      title={t.revokeTitle(apiKey.name)}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose} autoFocus>
            {text.actions.cancel}
          </Button>
          <Button look="danger" disabled={revoke.isPending} onClick={() => revoke.mutate()}>
            {t.revoke}
          </Button>
        </>
      }
    >
      <p>{t.revokeLead}</p>
      {revoke.error !== null && (
        <p className="bad" role="alert">
          {ConnectError.from(revoke.error).rawMessage}
        </p>
      )}
    </Dialog>
  );
}
