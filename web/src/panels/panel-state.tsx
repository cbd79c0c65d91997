import { Code } from "@connectrpc/connect";
import { CircleAlert, Inbox, Lock, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import type { ChannelStatus } from "../live/live-channel.js";
import { text } from "../messages/en.js";
import { Button } from "../ui/controls.js";

interface PanelStateProps {
  readonly status: ChannelStatus;
  readonly onRetry: () => void;
  readonly empty?: ReactNode;
  readonly shape: "stat" | "chart" | "rows";
  readonly stream?: string | undefined;
}

/** What a panel shows instead of its data: loading, empty, error or no right. */
export function PanelState({ status, onRetry, empty, shape, stream }: PanelStateProps) {
  if (status.kind === "loading") return <Skeleton shape={shape} />;
  if (status.kind === "empty") return <Notice icon={<Inbox className="icon" />}>{empty ?? <p>{text.panel.emptyRange}</p>}</Notice>;
  if (status.kind !== "error") return null;
  if (status.code === Code.NotFound) {
    return (
      <Notice icon={<Inbox className="icon" />}>
        {empty ?? <p>{text.panel.noStream(stream ?? "")}</p>}
      </Notice>
    );
  }
  if (status.code === Code.PermissionDenied) {
    return (
      <Notice icon={<Lock className="icon" />} title={text.panel.noRightTitle}>
        <p>{text.panel.noRight}</p>
      </Notice>
    );
  }
  return (
    <Notice icon={<CircleAlert className="icon bad" />} title={text.panel.errorTitle}>
      <p>{status.message}</p>
      {status.retrying && <p>{text.panel.retrying}</p>}
      {status.requestId !== "" && (
        <p className="faint truncate" title={status.requestId}>
          {text.panel.requestId} <code>{status.requestId.slice(0, 16)}</code>
        </p>
      )}
      {/* Asking the same again does not make a wrong question right. */}
      {status.code !== Code.InvalidArgument && (
        <Button onClick={onRetry}>
          <RotateCw className="icon" />
          {text.actions.retry}
        </Button>
      )}
    </Notice>
  );
}

export function Notice({ icon, title, children }: { readonly icon: ReactNode; readonly title?: string; readonly children: ReactNode }) {
  return (
    <div className="notice">
      <span className="notice-icon">{icon}</span>
      <div className="notice-text">
        {title !== undefined && <p className="strong">{title}</p>}
        {children}
      </div>
    </div>
  );
}

export function Skeleton({ shape }: { readonly shape: "stat" | "chart" | "rows" }) {
  return (
    <div className={`skeleton ${shape}`} role="status" aria-label={text.panel.loading}>
      {shape === "rows" ? (
        Array.from({ length: 6 }, (_, i) => <span key={i} />)
      ) : (
        <>
          <span />
          <span />
        </>
      )}
    </div>
  );
}
