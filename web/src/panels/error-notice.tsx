import { ConnectError } from "@connectrpc/connect";
import { requestIdOf } from "../api/session.js";
import { PanelState } from "./panel-state.js";

/** A failed request in the place of what it would have shown. */
export function ErrorNotice({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  const failure = ConnectError.from(error);
  return (
    <section className="panel error-panel">
      <PanelState
        status={{ kind: "error", code: failure.code, message: failure.rawMessage, retrying: false, requestId: requestIdOf(error) }}
        onRetry={onRetry}
        shape="rows"
      />
    </section>
  );
}
