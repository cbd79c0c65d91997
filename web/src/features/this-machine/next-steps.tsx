import { useMutation } from "@tanstack/react-query";
import { ConnectError } from "@connectrpc/connect";
import { ArrowRight, Terminal } from "lucide-react";
import { useState } from "react";
import { auth, session } from "../../api/services.js";
import { useObservable } from "../../app/hooks.js";
import { streamHref } from "../../app/pages.js";
import { Role } from "../../gen/rivermeet/auth/v1/auth_pb.js";
import { text } from "../../messages/en.js";
import { Button, CodeBlock, Link } from "../../ui/controls.js";
import { Dialog } from "../../ui/dialog.js";
import { FIRST_STREAM, readCommand, sendCommand } from "../keys/curl.js";
import { HOST_STREAM } from "./specs.js";

const t = text.next;

/** What to do now that the page moves: things that work today. */
export function NextSteps({ className }: { readonly className: string }) {
  const state = useObservable(session.state);
  const mayMake = state.kind === "signed-in" && state.person.role >= Role.EDITOR;
  const [secret, setSecret] = useState("");
  const make = useMutation({
    mutationFn: () => auth.createApiKey({ name: t.keyName, role: Role.EDITOR }),
    onSuccess: (answer) => setSecret(answer.secret),
  });
  return (
    <section className={`panel next ${className}`} aria-labelledby="next-title" data-panel="next" tabIndex={0}>
      <header className="panel-head">
        <h2 id="next-title">{t.title}</h2>
      </header>
      <ol className="next-list">
        <li>
          <p className="strong">{t.send}</p>
          <p className="muted">{mayMake ? t.sendLead : t.needEditor}</p>
          {mayMake && (
            <Button look="primary" disabled={make.isPending} onClick={() => make.mutate()}>
              <Terminal className="icon" />
              {make.isPending ? t.making : t.makeKey}
            </Button>
          )}
          {make.error !== null && <p className="bad">{ConnectError.from(make.error).rawMessage}</p>}
        </li>
        <li>
          <Link to={`/explore?stream=${HOST_STREAM}&measure=cpu_percent&by=core`} className="next-link">
            <span>
              <span className="strong">{t.exploreTitle}</span>
              <span className="muted">{t.exploreLead}</span>
            </span>
            <ArrowRight className="icon" aria-hidden="true" />
          </Link>
        </li>
        <li>
          <Link to={streamHref(HOST_STREAM)} className="next-link">
            <span>
              <span className="strong">{t.look}</span>
              <span className="muted">{t.keysLead}</span>
            </span>
            <ArrowRight className="icon" aria-hidden="true" />
          </Link>
        </li>
      </ol>
      {secret !== "" && <CommandDialog secret={secret} onClose={() => setSecret("")} />}
    </section>
  );
}

function CommandDialog({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }) {
  const k = text.keys;
  return (
    <Dialog
      title={t.send}
      onClose={onClose}
      wide
      footer={
        <>
          <Link to={`/explore?stream=${FIRST_STREAM}&measure=temperature&by=room`} className="button plain">
            {text.palette.exploreStream(FIRST_STREAM)}
          </Link>
          <Button look="primary" onClick={onClose}>
            {k.done}
          </Button>
        </>
      }
    >
      <p className="muted">{k.madeLead}</p>
      <h3 className="dialog-section">{k.tryIt}</h3>
      <CodeBlock code={sendCommand(secret)} label={k.tryIt} />
      <h3 className="dialog-section">{k.tryRead}</h3>
      <CodeBlock code={readCommand(secret)} label={k.tryRead} />
    </Dialog>
  );
}
