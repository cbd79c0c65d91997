import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { Code, ConnectError } from "@connectrpc/connect";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/app.js";
import { session } from "./api/services.js";
import { CrashBoundary } from "./app/crash-boundary.js";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/ui.css";
import "./styles/overlays.css";
import "./styles/shell.css";
import "./styles/panels.css";
import "./styles/pages.css";

const HOPELESS = new Set([Code.Unauthenticated, Code.PermissionDenied, Code.NotFound, Code.InvalidArgument]);

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < 2 && !HOPELESS.has(ConnectError.from(error).code),
    },
  },
});

void session.start();

const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <CrashBoundary>
        <QueryClientProvider client={queryClient}>
          <App />
        </QueryClientProvider>
      </CrashBoundary>
    </StrictMode>,
  );
}
