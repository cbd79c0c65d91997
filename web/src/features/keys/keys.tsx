import { timestampFromMs } from "@bufbuild/protobuf/wkt";
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
import { DataTable, type Column } from "../../ui/data-table.js";
import { Dialog } from "../../ui/dialog.js";
import { Moment } from "../../ui/moment.js";
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
  const columns: readonly Column<ApiKey>[] = [
    { id: "name", label: t.name, heads: true, cell: ({ name }) => name },
    { id: "role", label: t.role, cell: ({ role }) => text.account.roles[role] },
    { id: "id", label: t.id, wide: true, cell: ({ id }) => <code className="muted">{id}</code> },
    {
      id: "created",
      label: t.created,
      wide: true,
      cell: ({ created, createdBy }) => (
        <>
          <Moment at={created} /> <span className="faint">{createdBy === "" ? "" : t.by(createdBy)}</span>
        </>
      ),
    },
    { id: "used", label: t.lastUsed, cell: ({ lastUsed }) => <Moment at={lastUsed} absent={t.notUsed} /> },
    { id: "expires", label: t.expires, wide: true, cell: ({ expires }) => <Moment at={expires} absent={t.never} /> },
    {
      id: "revoke",
      label: t.revoke,
      actions: true,
      cell: (key) => (
        <Button look="quiet" onClick={() => onRevoke(key)} aria-label={t.revokeTitle(key.name)}>
          {t.revoke}
        </Button>
      ),
    },
  ];
  return (
    <section className="panel list">
      <DataTable label={t.title} columns={columns} rows={keys} rowKey={({ id }) => id} />
    </section>
  );
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
      {apiKey.createdBy === "system" && <p className="warn">{t.revokeSystem}</p>}
      {revoke.error !== null && (
        <p className="bad" role="alert">
          {ConnectError.from(revoke.error).rawMessage}
        </p>
      )}
    </Dialog>
  );
}
