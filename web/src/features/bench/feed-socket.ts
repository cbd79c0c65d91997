import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { LiveClientFrameSchema, LiveServerFrameSchema } from "../../gen/rivermeet/gateway/v1/live_pb.js";
import { ColumnType, type ColumnSchema } from "../../gen/rivermeet/query/v1/frame_pb.js";
import type { Socket } from "../../live/live-client.js";

const GROUPS = 4;

interface Fed {
  readonly channel: bigint;
  readonly seconds: number;
  sequence: bigint;
  readonly levels: number[];
}

/** A socket whose other end is made here: every subscription gets four lines, updated so many times a second. */
export class FeedSocket implements Socket {
  binaryType = "";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  private readonly fed = new Map<number, Fed>();
  private readonly timer;
  /** Updates sent by all feeds together. */
  static updates = 0;

  constructor(hz: number) {
    setTimeout(() => this.onopen?.(), 0);
    this.timer = setInterval(() => {
      for (const feed of this.fed.values()) this.update(feed, 2, false);
    }, 1_000 / hz);
  }

  send(data: Uint8Array<ArrayBuffer>): void {
    const { frame } = fromBinary(LiveClientFrameSchema, data);
    if (frame.case === "ping") {
      this.say({ case: "pong", value: { token: frame.value.token, serverTimeUs: BigInt(Date.now()) * 1000n } });
    } else if (frame.case === "unsubscribe") {
      this.fed.delete(frame.value.id);
    } else if (frame.case === "subscribe") {
      const { id, query } = frame.value;
      const seconds = query?.last === undefined ? 60 : durationMs(query.last) / 1_000;
      const feed: Fed = { channel: BigInt(id), seconds, sequence: 0n, levels: Array.from({ length: GROUPS }, (_, i) => 20 + i * 20) };
      this.fed.set(id, feed);
      this.say({ case: "subscribed", value: { id, channel: feed.channel } });
      this.update(feed, seconds, true);
    }
  }

  close(): void {
    clearInterval(this.timer);
  }

  private update(feed: Fed, rows: number, snapshot: boolean): void {
    const newest = Math.floor(Date.now() / 1_000);
    const times: bigint[] = [];
    const index: number[] = [];
    const values: number[] = [];
    for (let g = 0; g < GROUPS; g++) {
      for (let i = rows - 1; i >= 0; i--) {
        const level = Math.min(100, Math.max(0, (feed.levels[g] ?? 0) + (Math.random() - 0.5) * 6));
        feed.levels[g] = level;
        times.push(BigInt(newest - i) * 1_000_000n);
        index.push(g + 1);
        values.push(level);
      }
    }
    const columns: MessageInitShape<typeof ColumnSchema>[] = [
      { name: "time", type: ColumnType.TIME, int64Values: times },
      { name: "core", type: ColumnType.STRING, dictionary: ["0", "1", "2", "3"], index },
      { name: "mean_cpu_percent", type: ColumnType.FLOAT64, unit: "percent", float64Values: values },
    ];
    feed.sequence++;
    FeedSocket.updates++;
    const now = BigInt(Date.now()) * 1000n;
    this.say({
      case: "update",
      value: {
        channel: feed.channel,
        epoch: 1n,
        response: {
          snapshot,
          sequence: feed.sequence,
          frame: { columns, rowCount: BigInt(times.length) },
          newestAppendTimeUs: now,
          sentTimeUs: now,
          step: durationFromMs(1_000),
          watermarkUs: now,
        },
      },
    });
  }

  private say(frame: MessageInitShape<typeof LiveServerFrameSchema>["frame"]): void {
    const bytes = toBinary(LiveServerFrameSchema, create(LiveServerFrameSchema, { ...(frame === undefined ? {} : { frame }) }));
    this.onmessage?.({ data: bytes.buffer });
  }
}
