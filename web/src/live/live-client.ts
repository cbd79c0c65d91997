import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  LiveClientFrameSchema,
  LiveServerFrameSchema,
  type LiveClientFrame,
  type LiveServerFrame,
} from "../gen/rivermeet/gateway/v1/live_pb.js";
import { TimeSeriesQuerySchema, type TimeSeriesQuery } from "../gen/rivermeet/query/v1/query_pb.js";
import { Freshness } from "./freshness.js";
import { LiveChannel } from "./live-channel.js";
import { Observable } from "./observable.js";
import { localNowUs, ServerClock } from "./server-clock.js";

export type ConnectionState =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  | { readonly kind: "stale"; readonly sinceMs: number }
  | { readonly kind: "reconnecting"; readonly retryAtMs: number; readonly attempt: number }
  | { readonly kind: "paused"; readonly sinceMs: number };

/** The part of a WebSocket that is used; a test brings its own. */
export interface Socket {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export interface LiveClientOptions {
  /** A fresh one-use ticket; rejects when the session is over or the server is away. */
  readonly ticket: () => Promise<string>;
  readonly open: (ticket: string) => Socket;
  readonly random?: () => number;
}

interface Subscription {
  readonly key: string;
  readonly channel: LiveChannel;
  users: number;
  /** This socket's number for it; 0 while it has none. */
  id: number;
  wire: bigint | undefined;
  release: ReturnType<typeof setTimeout> | undefined;
  refusedMs: number;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 20_000;
const PING_MS = 4_000;
/** With subscriptions and no new event for this long, the page says that it is stale. */
const STALE_MS = 10_000;
/** A socket that has not answered a ping for this long is dead, whatever TCP believes. */
const DEAD_MS = 12_000;
/** A subscription that was refused is asked for again after this long: its stream may have begun, its right been given. */
const ASK_AGAIN_MS = 3_000;
/** google.rpc codes that asking again does not change: INVALID_ARGUMENT, UNIMPLEMENTED. */
const HOPELESS = new Set([3, 12]);
/** A query that nobody shows any more is kept this long, so that going back is instant. */
const LINGER_MS = 2_000;

/**
 * The page's one WebSocket: subscriptions to time-series queries, multiplexed.
 *
 * Equal queries share a channel. A lost socket is opened again with a fresh ticket after a jittered, growing pause; a
 * gap in a channel's sequence makes it subscribe anew, which brings a snapshot. Nothing here touches React or the DOM.
 */
export class LiveClient {
  readonly state = new Observable<ConnectionState>({ kind: "connecting" });
  readonly clock = new ServerClock();
  readonly freshness = new Freshness();

  private socket: Socket | undefined;
  private open = false;
  private stopped = true;
  private paused = false;
  private attempt = 0;
  private nextId = 1;
  private nextToken = 1n;
  private readonly pings = new Map<bigint, number>();
  private lastHeardMs = 0;
  private lastPingMs = 0;
  private lastNewsMs = 0;
  private newestAppendUs = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private tick: ReturnType<typeof setInterval> | undefined;
  private generation = 0;
  private readonly subscriptions = new Map<string, Subscription>();
  private readonly byId = new Map<number, Subscription>();
  private readonly byWire = new Map<bigint, Set<Subscription>>();

  constructor(private readonly options: LiveClientOptions) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.paused = false;
    this.tick = setInterval(() => this.check(), 1_000);
    void this.connect();
  }

  /** Closes the socket and forgets all subscriptions. */
  stop(): void {
    this.stopped = true;
    clearInterval(this.tick);
    clearTimeout(this.retryTimer);
    this.drop();
    for (const subscription of this.subscriptions.values()) clearTimeout(subscription.release);
    this.subscriptions.clear();
    this.state.set({ kind: "connecting" });
  }

  pause(): void {
    if (this.paused || this.stopped) return;
    this.paused = true;
    clearTimeout(this.retryTimer);
    this.drop();
    this.state.set({ kind: "paused", sinceMs: Date.now() });
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.attempt = 0;
    void this.connect();
  }

  /** Tries again at once instead of waiting for the countdown. */
  retryNow(): void {
    if (this.stopped || this.paused || this.open) return;
    clearTimeout(this.retryTimer);
    void this.connect();
  }

  /** The channel of a query; call the returned function when it is not shown any more. */
  subscribe(query: TimeSeriesQuery): { channel: LiveChannel; release: () => void } {
    const key = btoa(String.fromCharCode(...toBinary(TimeSeriesQuerySchema, query)));
    let subscription = this.subscriptions.get(key);
    if (subscription === undefined) {
      subscription = { key, channel: new LiveChannel(query), users: 0, id: 0, wire: undefined, release: undefined, refusedMs: 0 };
      this.subscriptions.set(key, subscription);
      if (this.open) this.sendSubscribe(subscription);
    }
    subscription.users++;
    clearTimeout(subscription.release);
    const held = subscription;
    let released = false;
    return {
      channel: subscription.channel,
      release: () => {
        if (released) return;
        released = true;
        held.users--;
        if (held.users === 0) held.release = setTimeout(() => this.forget(held), LINGER_MS);
      },
    };
  }

  /** Asks for a channel's answer anew, after an error. */
  retry(channel: LiveChannel): void {
    for (const subscription of this.subscriptions.values()) {
      if (subscription.channel !== channel) continue;
      channel.restart();
      if (this.open) this.resubscribe(subscription);
    }
  }

  /** Called after a frame was presented: measures what it showed for the first time. */
  painted(): void {
    let newest = 0;
    for (const { channel } of this.subscriptions.values()) {
      if (channel.drawnAppendUs <= channel.measuredAppendUs) continue;
      channel.measuredAppendUs = channel.drawnAppendUs;
      if (!channel.arrivedHidden) newest = Math.max(newest, channel.drawnAppendUs);
    }
    if (newest > 0 && this.clock.known) this.freshness.add(Math.max(0, (this.clock.nowUs() - newest) / 1000));
  }

  private async connect(): Promise<void> {
    const generation = ++this.generation;
    if (this.state.get().kind !== "reconnecting") this.state.set({ kind: "connecting" });
    let socket: Socket;
    try {
      const ticket = await this.options.ticket();
      if (generation !== this.generation || this.stopped || this.paused) return;
      socket = this.options.open(ticket);
    } catch {
      if (generation === this.generation && !this.stopped && !this.paused) this.retryLater();
      return;
    }
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.lastHeardMs = Date.now();
    socket.onopen = () => this.opened();
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.receive(fromBinary(LiveServerFrameSchema, new Uint8Array(data)));
    };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.drop();
      if (!this.stopped && !this.paused) this.retryLater();
    };
  }

  private opened(): void {
    this.open = true;
    this.attempt = 0;
    this.lastHeardMs = Date.now();
    this.lastNewsMs = Date.now();
    this.state.set({ kind: "live" });
    for (let i = 0; i < 3; i++) this.ping();
    for (const subscription of this.subscriptions.values()) this.sendSubscribe(subscription);
  }

  private retryLater(): void {
    const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.attempt);
    this.attempt++;
    // Half fixed, half random: many pages that lost the same server don't come back together.
    const pause = ceiling / 2 + (this.options.random ?? Math.random)() * (ceiling / 2);
    this.state.set({ kind: "reconnecting", retryAtMs: Date.now() + pause, attempt: this.attempt });
    this.retryTimer = setTimeout(() => void this.connect(), pause);
  }

  private drop(): void {
    this.generation++;
    const socket = this.socket;
    this.socket = undefined;
    this.open = false;
    this.pings.clear();
    this.clock.reset();
    this.byId.clear();
    this.byWire.clear();
    for (const subscription of this.subscriptions.values()) {
      subscription.id = 0;
      subscription.wire = undefined;
      subscription.channel.expectSnapshot();
    }
    socket?.close();
  }

  private send(frame: LiveClientFrame["frame"]): void {
    if (!this.open) return;
    this.socket?.send(toBinary(LiveClientFrameSchema, create(LiveClientFrameSchema, { frame })));
  }

  private sendSubscribe(subscription: Subscription): void {
    subscription.refusedMs = 0;
    subscription.id = this.nextId++;
    this.byId.set(subscription.id, subscription);
    subscription.channel.expectSnapshot();
    this.send({
      case: "subscribe",
      value: { $typeName: "rivermeet.gateway.v1.LiveSubscribe", id: subscription.id, query: subscription.channel.query },
    });
  }

  private sendUnsubscribe(subscription: Subscription): void {
    if (subscription.id === 0) return;
    this.byId.delete(subscription.id);
    if (subscription.wire !== undefined) this.byWire.get(subscription.wire)?.delete(subscription);
    this.send({ case: "unsubscribe", value: { $typeName: "rivermeet.gateway.v1.LiveUnsubscribe", id: subscription.id } });
    subscription.id = 0;
    subscription.wire = undefined;
  }

  private resubscribe(subscription: Subscription): void {
    this.sendUnsubscribe(subscription);
    this.sendSubscribe(subscription);
  }

  private forget(subscription: Subscription): void {
    if (subscription.users > 0) return;
    this.sendUnsubscribe(subscription);
    this.subscriptions.delete(subscription.key);
  }

  private ping(): void {
    const token = this.nextToken++;
    this.pings.set(token, localNowUs());
    this.send({ case: "ping", value: { $typeName: "rivermeet.gateway.v1.LivePing", token } });
  }

  private receive({ frame }: LiveServerFrame): void {
    this.lastHeardMs = Date.now();
    switch (frame.case) {
      case "subscribed": {
        const subscription = this.byId.get(frame.value.id);
        if (subscription === undefined) return;
        subscription.wire = frame.value.channel;
        const sharing = this.byWire.get(frame.value.channel) ?? new Set<Subscription>();
        sharing.add(subscription);
        this.byWire.set(frame.value.channel, sharing);
        return;
      }
      case "update": {
        const { response, channel, epoch } = frame.value;
        if (response === undefined) return;
        for (const subscription of this.byWire.get(channel) ?? []) {
          if (subscription.channel.apply(response, epoch) === "gap") this.resubscribe(subscription);
        }
        this.heardNews(Number(response.newestAppendTimeUs));
        return;
      }
      case "error": {
        const { id, code, message, retrying } = frame.value;
        const subscription = this.byId.get(id);
        if (subscription === undefined) return;
        subscription.channel.fail(code, message, retrying);
        subscription.refusedMs = retrying || HOPELESS.has(code) ? 0 : Date.now();
        return;
      }
      case "pong": {
        const sent = this.pings.get(frame.value.token);
        this.pings.delete(frame.value.token);
        if (sent !== undefined) this.clock.add(sent, localNowUs(), Number(frame.value.serverTimeUs));
        return;
      }
      case "sessionEnding":
        void this.reauthenticate();
        return;
      case undefined:
        return;
    }
  }

  private heardNews(newestAppendUs: number): void {
    if (newestAppendUs <= this.newestAppendUs) return;
    this.newestAppendUs = newestAppendUs;
    this.lastNewsMs = Date.now();
    if (this.state.get().kind === "stale") this.state.set({ kind: "live" });
  }

  private async reauthenticate(): Promise<void> {
    try {
      const ticket = await this.options.ticket();
      this.send({ case: "reauthenticate", value: { $typeName: "rivermeet.gateway.v1.LiveReauthenticate", ticket } });
    } catch {
      // The server closes the socket when the session ends; connecting again says what is wrong.
    }
  }

  /** Once a second: pings, notices a dead socket and data that stands still. */
  private check(): void {
    if (!this.open) return;
    const now = Date.now();
    const oldest = Math.min(...this.pings.values());
    if (this.pings.size > 0 && localNowUs() - oldest > DEAD_MS * 1000 && now - this.lastHeardMs > DEAD_MS) {
      this.drop();
      this.retryLater();
      return;
    }
    if (this.pings.size === 0 && now - this.lastPingMs > PING_MS) {
      this.lastPingMs = now;
      this.ping();
    }
    for (const subscription of this.subscriptions.values()) {
      if (subscription.refusedMs > 0 && subscription.users > 0 && now - subscription.refusedMs >= ASK_AGAIN_MS) this.resubscribe(subscription);
    }
    const wants = [...this.subscriptions.values()].some((subscription) => subscription.users > 0);
    if (wants && now - this.lastNewsMs > STALE_MS && this.state.get().kind === "live") {
      this.state.set({ kind: "stale", sinceMs: this.lastNewsMs });
    }
  }
}
