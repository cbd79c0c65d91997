import { Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { timestampMs, type Timestamp } from "@bufbuild/protobuf/wkt";
import { AuthService, type Role, type TokenPair } from "../gen/rivermeet/auth/v1/auth_pb.js";
import { Observable } from "../live/observable.js";

export interface Person {
  readonly name: string;
  readonly tenant: string;
  readonly role: Role;
}

export type SessionState =
  | { readonly kind: "starting" }
  | { readonly kind: "unreachable"; readonly error: unknown }
  | { readonly kind: "signed-out"; readonly reason: "none" | "ended" }
  | { readonly kind: "must-change-password"; readonly oneTimePassword: string }
  | { readonly kind: "signed-in"; readonly person: Person };

/** Refreshes this long before the access token ends. */
const EARLY_MS = 60_000;

/** That the server will have no more of this session, unlike a server that is away or too busy: then it may go on. */
function isEnd(error: unknown): boolean {
  return [Code.Unauthenticated, Code.PermissionDenied, Code.InvalidArgument].includes(ConnectError.from(error).code);
}

function hex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Gives every request a W3C trace id and every error the id under which the server's log knows it. */
const traced: Interceptor = (next) => async (request) => {
  const traceId = hex(16);
  request.header.set("traceparent", `00-${traceId}-${hex(8)}-01`);
  try {
    return await next(request);
  } catch (error) {
    if (error instanceof ConnectError && !error.metadata.has("x-request-id")) error.metadata.set("x-request-id", traceId);
    throw error;
  }
};

/** The id to quote for an error, or an empty string. */
export function requestIdOf(error: unknown): string {
  return error instanceof ConnectError ? (error.metadata.get("x-request-id") ?? "") : "";
}

/**
 * Who is signed in. The access token lives in memory only; the refresh token is a cookie that no script can read, so a
 * reload starts with a refresh.
 */
export class Session {
  readonly state = new Observable<SessionState>({ kind: "starting" });
  /** For everything but signing in: sends the token, refreshes it once when the server no longer takes it. */
  readonly transport: Transport;

  private readonly plain = createConnectTransport({ baseUrl: location.origin, interceptors: [traced], defaultTimeoutMs: 20_000 });
  private readonly plainAuth = createClient(AuthService, this.plain);
  private readonly auth;
  private token = "";
  private refreshing: Promise<boolean> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.transport = createConnectTransport({
      baseUrl: location.origin,
      useBinaryFormat: true,
      defaultTimeoutMs: 20_000,
      interceptors: [this.authorized, traced],
    });
    this.auth = createClient(AuthService, this.transport);
  }

  /** Goes on with the session of the cookie, if there is one. */
  async start(): Promise<void> {
    this.state.set({ kind: "starting" });
    try {
      const { tokens, mustChangePassword } = await this.spendCookie();
      this.take(tokens);
      // The one-time password is not known after a reload: signing in again asks for it.
      if (mustChangePassword) this.end("none");
      else await this.enter();
    } catch (error) {
      if (isEnd(error)) this.end("none");
      else this.state.set({ kind: "unreachable", error });
    }
  }

  /** Rejects with a ConnectError: UNAUTHENTICATED, RESOURCE_EXHAUSTED, UNAVAILABLE. */
  async signIn(user: string, password: string): Promise<void> {
    const { tokens, mustChangePassword } = await this.plainAuth.login({ user, password });
    this.take(tokens);
    if (mustChangePassword) this.state.set({ kind: "must-change-password", oneTimePassword: password });
    else await this.enter();
  }

  async changePassword(currentPassword: string, newPassword: string): Promise<void> {
    const { tokens } = await this.auth.changePassword({ currentPassword, newPassword });
    this.take(tokens);
    await this.enter();
  }

  /** Rejects when the server did not take it: the cookie still opens the session, so it goes on. */
  async signOut(): Promise<void> {
    await this.plainAuth.logout({});
    this.end("none");
  }

  async ticket(): Promise<string> {
    return (await this.auth.createTicket({})).ticket;
  }

  private readonly authorized: Interceptor = (next) => async (request) => {
    request.header.set("authorization", `Bearer ${this.token}`);
    try {
      return await next(request);
    } catch (error) {
      if (!(error instanceof ConnectError) || error.code !== Code.Unauthenticated) throw error;
      if (!(await this.refresh())) throw error;
      request.header.set("authorization", `Bearer ${this.token}`);
      return await next(request);
    }
  };

  private async enter(): Promise<void> {
    const me = await this.auth.whoAmI({});
    this.state.set({ kind: "signed-in", person: { name: me.name, tenant: me.tenantName, role: me.role } });
  }

  private take(tokens: TokenPair | undefined): void {
    this.token = tokens?.accessToken ?? "";
    this.refreshAt(tokens?.accessExpires);
  }

  private refreshAt(expires: Timestamp | undefined): void {
    clearTimeout(this.timer);
    if (expires === undefined) return;
    const left = timestampMs(expires) - Date.now();
    const pause = Math.max(5_000, Math.min(left - EARLY_MS, left / 2 + left / 4));
    this.timer = setTimeout(() => void this.refresh(), Math.min(pause, 2 ** 31 - 1));
  }

  /** Other tabs share the cookie; the lock keeps two from spending the same refresh token. */
  private spendCookie() {
    return navigator.locks.request("rivermeet.refresh", () => this.plainAuth.refresh({}));
  }

  /** One refresh at a time, however many requests ask for it: each refresh token works once. */
  private refresh(): Promise<boolean> {
    this.refreshing ??= this.refreshOnce().finally(() => {
      this.refreshing = undefined;
    });
    return this.refreshing;
  }

  private async refreshOnce(): Promise<boolean> {
    try {
      const { tokens } = await this.spendCookie();
      this.take(tokens);
      return true;
    } catch (error) {
      if (isEnd(error)) {
        this.end("ended");
      } else {
        // The server is away: the session may still be good when it is back.
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.refresh(), 5_000);
      }
      return false;
    }
  }

  private end(reason: "none" | "ended"): void {
    clearTimeout(this.timer);
    this.token = "";
    this.state.set({ kind: "signed-out", reason });
  }
}
