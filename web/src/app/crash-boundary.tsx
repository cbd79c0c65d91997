import { Component, type ReactNode } from "react";
import { text } from "../messages/en.js";
import { Button } from "../ui/controls.js";

/** Shows what happened instead of a white page. */
export class CrashBoundary extends Component<{ readonly children: ReactNode }, { readonly error: Error | undefined }> {
  override state: { readonly error: Error | undefined } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <main className="gate">
        <div className="gate-card">
          <h1>{text.crash.title}</h1>
          <p className="muted">{text.crash.lead}</p>
          <pre className="query">{error.message}</pre>
          <Button look="primary" onClick={() => location.reload()}>
            {text.crash.reload}
          </Button>
        </div>
      </main>
    );
  }
}
