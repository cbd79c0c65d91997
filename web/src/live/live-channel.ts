import { durationMs } from "@bufbuild/protobuf/wkt";
import type { DataVersion, SubscribeResponse, TimeSeriesQuery } from "../gen/rivermeet/query/v1/query_pb.js";
import { Observable } from "./observable.js";
import { SeriesGrid } from "./series-grid.js";

export type ChannelStatus =
  | { readonly kind: "loading" }
  | { readonly kind: "ready" }
  | { readonly kind: "empty" }
  | { readonly kind: "error"; readonly code: number; readonly message: string; readonly retrying: boolean; readonly requestId: string };

const LOADING: ChannelStatus = { kind: "loading" };
const READY: ChannelStatus = { kind: "ready" };
const EMPTY: ChannelStatus = { kind: "empty" };

/** What a response asks of the client that feeds the channel. */
export type Applied = "ok" | "gap";

/** The state of one time-series query on this page: its cells, how far they go, and who wants to know. */
export class LiveChannel {
  readonly status = new Observable<ChannelStatus>(LOADING);
  grid: SeriesGrid;
  dataVersion: DataVersion | undefined;
  /** Why no updates come at the moment, although there are cells to show; empty when all is well. */
  readonly trouble = new Observable<string>("");
  /** When the newest event in the cells became durable, microseconds by the server's clock; 0 when unknown. */
  newestAppendUs = 0;
  /** Windows that start before this are complete unless late events amend them. */
  watermarkUs = 0;
  /** The newest append that somebody has drawn. */
  drawnAppendUs = 0;
  /** The newest append that has been measured to the paint. */
  measuredAppendUs = 0;
  /** Whether the last response came while the page was hidden: it can't be measured to a paint. */
  arrivedHidden = false;
  updates = 0;
  /** Groups that the query's limit leaves out. */
  groupsLeftOut = 0;

  private sequence = 0n;
  private epoch: bigint | undefined;
  private readonly listeners = new Set<() => void>();

  constructor(readonly query: TimeSeriesQuery) {
    const stepMs = query.step === undefined ? 1000 : durationMs(query.step);
    this.grid = this.makeGrid(stepMs * 1000);
  }

  get stepUs(): number {
    return this.grid.stepUs;
  }

  /** Called after every response, outside React. */
  onData(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  apply(response: SubscribeResponse, epoch: bigint): Applied {
    if (!response.snapshot) {
      if (this.epoch !== epoch || response.sequence !== this.sequence + 1n) return "gap";
    }
    this.epoch = epoch;
    this.sequence = response.sequence;
    if (response.step !== undefined) {
      const stepUs = durationMs(response.step) * 1000;
      if (stepUs > 0 && stepUs !== this.grid.stepUs) this.grid = this.makeGrid(stepUs);
    }
    if (response.frame !== undefined) this.grid.apply(response.frame, response.snapshot);
    this.dataVersion = response.dataVersion ?? this.dataVersion;
    this.newestAppendUs = Math.max(this.newestAppendUs, Number(response.newestAppendTimeUs));
    this.watermarkUs = Number(response.watermarkUs);
    this.groupsLeftOut = Number(response.groupsLeftOut);
    // What was on the server before this page asked says nothing of freshness.
    if (response.snapshot && this.updates === 0) this.measuredAppendUs = this.newestAppendUs;
    this.arrivedHidden = typeof document !== "undefined" && document.hidden;
    this.updates++;
    this.trouble.set("");
    this.settle();
    return "ok";
  }

  /** Called by whoever draws the cells, in the frame that shows them. */
  drawn(): void {
    this.drawnAppendUs = this.newestAppendUs;
  }

  /** Called when a panel of the channel comes into view: how long the cells have waited for that is not their delay. */
  cameIntoView(): void {
    this.measuredAppendUs = this.newestAppendUs;
  }

  /** Called when the feeding connection starts over: the next response must be a snapshot. */
  expectSnapshot(): void {
    this.epoch = undefined;
    this.sequence = 0n;
  }

  /** What is there stays on the screen while the server tries again by itself. */
  fail(code: number, message: string, retrying: boolean, requestId = ""): void {
    if (retrying && this.status.get().kind === "ready") {
      this.trouble.set(message);
      return;
    }
    this.status.set({ kind: "error", code, message, retrying, requestId });
    this.notify();
  }

  restart(): void {
    this.expectSnapshot();
    if (this.status.get().kind === "error") this.status.set(LOADING);
  }

  private settle(): void {
    this.status.set(this.grid.groups.length === 0 ? EMPTY : READY);
    this.notify();
  }

  private notify(): void {
    for (const listener of this.listeners) listener();
  }

  private makeGrid(stepUs: number): SeriesGrid {
    const { query } = this;
    let rangeUs = query.last === undefined ? 0 : durationMs(query.last) * 1000;
    if (rangeUs === 0 && query.start !== undefined) {
      const endUs = query.end === undefined ? Date.now() * 1000 : Number(query.end.seconds) * 1e6;
      rangeUs = endUs - Number(query.start.seconds) * 1e6;
    }
    const keep = Math.min(20_000, Math.max(2, Math.ceil(rangeUs / stepUs) + 2));
    return new SeriesGrid(stepUs, keep, query.groupBy.length, query.aggregates.length);
  }
}
