import { session } from "../../api/services.js";
import { text } from "../../messages/en.js";
import { Button, Mark } from "../../ui/controls.js";

/** The page is there but the server is not. */
export function Unreachable() {
  return (
    <main className="gate">
      <div className="gate-card">
        <Mark className="gate-mark" />
        <h1>{text.starting.title}</h1>
        <p className="muted">{text.starting.lead}</p>
        <Button look="primary" onClick={() => void session.start()}>
          {text.actions.retry}
        </Button>
      </div>
    </main>
  );
}
