import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LiveClientFrameSchema, LiveServerFrameSchema, type LiveClientFrame, type LiveServerFrame } from "../gen/rivermeet/gateway/v1/live_pb.js";
import { ColumnType, type ColumnSchema } from "../gen/rivermeet/query/v1/frame_pb.js";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { LiveClient, type Socket } from "./live-client.js";
import { queryOf } from "./query-spec.js";

/** A server's end of a socket, in memory: what the client sends is read, frames are sent back. */
class FakeSocket implements Socket {
  binaryType = "";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: LiveClientFrame["frame"][] = [];
  closed = false;
  answersPings = true;

  constructor(readonly ticket: string) {}

  send(data: Uint8Array<ArrayBuffer>): void {
    const { frame } = fromBinary(LiveClientFrameSchema, data);
    this.sent.push(frame);
    if (frame.case === "ping" && this.answersPings) {
      this.say({ case: "pong", value: { $typeName: "rivermeet.gateway.v1.LivePong", token: frame.value.token, serverTimeUs: BigInt(Date.now()) * 1000n } });
    }
  }

  close(): void {
    this.closed = true;
  }

  say(frame: LiveServerFrame["frame"]): void {
    const bytes = toBinary(LiveServerFrameSchema, create(LiveServerFrameSchema, { frame }));
    this.onmessage?.({ data: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) });
  }

  subscribed(id: number, channel: bigint): void {
    this.say({ case: "subscribed", value: { $typeName: "rivermeet.gateway.v1.LiveSubscribed", id, channel } });
  }

  /** An update of one cell. */
  update(channel: bigint, sequence: bigint, snapshot: boolean, seconds: number, value: number, epoch = 1n, newestAppendTimeUs = BigInt(Date.now()) * 1000n): void {
    const columns: MessageInitShape<typeof ColumnSchema>[] = [
      { name: "time", type: ColumnType.TIME, int64Values: [BigInt(seconds) * 1_000_000n] },
      { name: "mean_cpu", type: ColumnType.FLOAT64, float64Values: [value] },
    ];
    const frame = create(LiveServerFrameSchema, {
      frame: {
        case: "update",
        value: { channel, epoch, response: { snapshot, sequence, newestAppendTimeUs, frame: { columns, rowCount: 1n } } },
      },
    });
    this.say(frame.frame);
  }

  subscriptions(): { id: number; stream: string }[] {
    return this.sent.flatMap((frame) => (frame.case === "subscribe" ? [{ id: frame.value.id, stream: frame.value.query?.stream ?? "" }] : []));
  }
}

const cpu = queryOf({ stream: "host.metrics", aggregates: [{ measure: "cpu", fn: "mean" }], range: { kind: "last", seconds: 60 }, stepSeconds: 1 });

describe("a live client", () => {
  let sockets: FakeSocket[];
  let tickets: number;
  let client: LiveClient;

  beforeEach(() => {
    vi.useFakeTimers();
    sockets = [];
    tickets = 0;
    client = new LiveClient({
      ticket: () => Promise.resolve(`ticket-${++tickets}`),
      open: (ticket) => {
        const socket = new FakeSocket(ticket);
        sockets.push(socket);
        return socket;
      },
      random: () => 0.5,
    });
  });

  afterEach(() => {
    client.stop();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  const connect = async (): Promise<FakeSocket> => {
    const count = sockets.length;
    if (client.state.get().kind === "connecting") client.start();
    await vi.waitFor(() => expect(sockets.length).toBeGreaterThan(count));
    const socket = sockets.at(-1)!;
    socket.onopen?.();
    return socket;
  };

  test("shares one subscription between equal queries and ends it after the last is released", async () => {
    const first = client.subscribe(cpu);
    const second = client.subscribe(queryOf({ stream: "host.metrics", aggregates: [{ measure: "cpu", fn: "mean" }], range: { kind: "last", seconds: 60 }, stepSeconds: 1 }));
    expect(second.channel).toBe(first.channel);
    const socket = await connect();
    expect(socket.subscriptions()).toHaveLength(1);
    first.release();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(socket.sent.some((frame) => frame.case === "unsubscribe")).toBe(false);
    second.release();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(socket.sent.some((frame) => frame.case === "unsubscribe")).toBe(true);
  });

  test("applies a snapshot and the updates after it", async () => {
    const { channel } = client.subscribe(cpu);
    const socket = await connect();
    socket.subscribed(1, 7n);
    expect(channel.status.get().kind).toBe("loading");
    socket.update(7n, 1n, true, 100, 1);
    socket.update(7n, 2n, false, 101, 2);
    expect(channel.status.get().kind).toBe("ready");
    expect(channel.grid.lastValue(channel.grid.groups[0]!, 0)).toBe(2);
    expect(channel.grid.length).toBe(2);
  });

  test("measures freshness when an update is drawn, not when it comes", async () => {
    const { channel } = client.subscribe(cpu);
    const socket = await connect();
    await vi.advanceTimersByTimeAsync(1);
    socket.subscribed(1, 7n);
    socket.update(7n, 1n, true, 100, 1);
    channel.drawn();
    client.painted();
    expect(client.freshness.size).toBe(0);
    await vi.advanceTimersByTimeAsync(1_000);
    socket.update(7n, 2n, false, 101, 2);
    client.painted();
    expect(client.freshness.size).toBe(0);
    await vi.advanceTimersByTimeAsync(40);
    channel.drawn();
    client.painted();
    client.painted();
    expect(client.freshness.size).toBe(1);
  });

  test("measures nothing that was drawn before the server's clock was known, also not later", async () => {
    const { channel } = client.subscribe(cpu);
    const socket = await connect();
    client.clock.reset();
    socket.answersPings = false;
    await vi.advanceTimersByTimeAsync(1);
    socket.subscribed(1, 7n);
    socket.update(7n, 1n, true, 100, 1);
    await vi.advanceTimersByTimeAsync(100);
    socket.update(7n, 2n, false, 101, 2);
    channel.drawn();
    client.painted();
    await vi.advanceTimersByTimeAsync(1_000);
    client.clock.add(0, 2, 1);
    channel.drawn();
    client.painted();
    expect(client.freshness.size).toBe(0);
  });

  test("measures nothing that came while the page was hidden", async () => {
    const { channel } = client.subscribe(cpu);
    const socket = await connect();
    await vi.advanceTimersByTimeAsync(1);
    socket.subscribed(1, 7n);
    socket.update(7n, 1n, true, 100, 1);
    channel.drawn();
    client.painted();
    await vi.advanceTimersByTimeAsync(1_000);
    vi.stubGlobal("document", { hidden: true });
    socket.update(7n, 2n, false, 101, 2);
    await vi.advanceTimersByTimeAsync(5_000);
    channel.drawn();
    client.painted();
    expect(client.freshness.size).toBe(0);
    vi.stubGlobal("document", { hidden: false });
    socket.update(7n, 3n, false, 106, 3);
    channel.drawn();
    client.painted();
    expect(client.freshness.size).toBe(1);
  });

  test("measures nothing that came while nobody could see it", async () => {
    const { channel } = client.subscribe(cpu);
    const socket = await connect();
    socket.subscribed(1, 7n);
    socket.update(7n, 1n, true, 100, 1);
    await vi.advanceTimersByTimeAsync(100);
    socket.update(7n, 2n, false, 101, 2);
    await vi.advanceTimersByTimeAsync(5_000);
    channel.cameIntoView();
    channel.drawn();
    client.painted();
    expect(client.freshness.size).toBe(0);
  });

  test("subscribes anew after a gap in the sequence and takes nothing until the snapshot", async () => {
    const { channel } = client.subscribe(cpu);
    const socket = await connect();
    socket.subscribed(1, 7n);
    socket.update(7n, 1n, true, 100, 1);
    socket.update(7n, 3n, false, 102, 3);
    expect(channel.grid.length).toBe(1);
    expect(socket.subscriptions().map(({ id }) => id)).toEqual([1, 2]);
    socket.subscribed(2, 8n);
    socket.update(8n, 1n, false, 103, 4);
    expect(channel.grid.length).toBe(1);
    socket.subscribed(3, 9n);
    socket.update(9n, 1n, true, 104, 5);
    expect(channel.grid.lastValue(channel.grid.groups[0]!, 0)).toBe(5);
  });

  test("asks for a snapshot when the epoch changes without one", async () => {
    client.subscribe(cpu);
    const socket = await connect();
    socket.subscribed(1, 7n);
    socket.update(7n, 1n, true, 100, 1, 1n);
    socket.update(7n, 2n, false, 101, 2, 2n);
    expect(socket.subscriptions()).toHaveLength(2);
  });

  test("comes back after a lost socket with a fresh ticket, after a pause that grows", async () => {
    const { channel } = client.subscribe(cpu);
    const socket = await connect();
    socket.subscribed(1, 7n);
    socket.update(7n, 1n, true, 100, 1);
    socket.onclose?.({ code: 1006 });
    const first = client.state.get();
    expect(first.kind === "reconnecting" && first.retryAtMs - Date.now()).toBe(375);
    await vi.advanceTimersByTimeAsync(400);
    expect(sockets).toHaveLength(2);
    expect(sockets[1]?.ticket).toBe("ticket-2");
    sockets[1]?.onclose?.({ code: 1006 });
    const second = client.state.get();
    expect(second.kind === "reconnecting" && second.retryAtMs - Date.now()).toBe(750);
    await vi.advanceTimersByTimeAsync(800);
    const back = sockets[2]!;
    back.onopen?.();
    expect(client.state.get().kind).toBe("live");
    expect(back.subscriptions()).toHaveLength(1);
    expect(channel.grid.length).toBe(1);
    back.subscribed(back.subscriptions()[0]!.id, 1n);
    back.update(1n, 1n, true, 110, 4);
    expect(channel.grid.newestUs).toBe(110_000_000);
  });

  test("says that it is stale when nothing new comes, and live again when it does", async () => {
    client.subscribe(cpu);
    const socket = await connect();
    socket.subscribed(1, 7n);
    socket.update(7n, 1n, true, 100, 1);
    await vi.advanceTimersByTimeAsync(12_000);
    expect(client.state.get().kind).toBe("stale");
    socket.update(7n, 2n, false, 113, 2);
    expect(client.state.get().kind).toBe("live");
  });

  test("is not stale while nobody asks for anything", async () => {
    await connect();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(client.state.get().kind).toBe("live");
  });

  test("stays stale while updates bring no newer event", async () => {
    client.subscribe(cpu);
    const socket = await connect();
    socket.subscribed(1, 7n);
    const first = BigInt(Date.now()) * 1000n;
    socket.update(7n, 1n, true, 100, 1, 1n, first);
    await vi.advanceTimersByTimeAsync(12_000);
    socket.update(7n, 2n, false, 101, 2, 1n, first);
    expect(client.state.get().kind).toBe("stale");
  });

  test("takes a socket that answers no pings for dead", async () => {
    client.subscribe(cpu);
    const socket = await connect();
    socket.answersPings = false;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(socket.closed).toBe(true);
    expect(sockets.length).toBeGreaterThan(1);
  });

  test("shows an error of a subscription, and asks again when told to", async () => {
    const { channel } = client.subscribe(cpu);
    const socket = await connect();
    socket.say({ case: "error", value: { $typeName: "rivermeet.gateway.v1.LiveError", id: 1, code: 5, message: "no stream", retrying: false } });
    const status = channel.status.get();
    expect(status.kind === "error" && status.code).toBe(5);
    client.retry(channel);
    expect(channel.status.get().kind).toBe("loading");
    expect(socket.subscriptions()).toHaveLength(2);
  });

  test("asks again for a stream that was not there yet", async () => {
    const { channel } = client.subscribe(cpu);
    const socket = await connect();
    socket.say({ case: "error", value: { $typeName: "rivermeet.gateway.v1.LiveError", id: 1, code: 5, message: "no stream", retrying: false } });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(socket.subscriptions().map(({ id }) => id)).toEqual([1, 2]);
    socket.subscribed(2, 7n);
    socket.update(7n, 1n, true, 100, 1);
    expect(channel.status.get().kind).toBe("ready");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(socket.subscriptions()).toHaveLength(2);
  });

  test("keeps what it shows while the server tries again by itself", async () => {
    const { channel } = client.subscribe(cpu);
    const socket = await connect();
    socket.subscribed(1, 7n);
    socket.update(7n, 1n, true, 100, 1);
    socket.say({ case: "error", value: { $typeName: "rivermeet.gateway.v1.LiveError", id: 1, code: 14, message: "The owner is away.", retrying: true } });
    expect(channel.status.get().kind).toBe("ready");
    expect(channel.trouble.get()).toBe("The owner is away.");
    socket.update(7n, 1n, true, 101, 2, 2n);
    expect(channel.trouble.get()).toBe("");
    expect(socket.subscriptions()).toHaveLength(1);
  });

  test("keeps the data while paused and asks for a snapshot when resumed", async () => {
    const { channel } = client.subscribe(cpu);
    const socket = await connect();
    socket.subscribed(1, 7n);
    socket.update(7n, 1n, true, 100, 1);
    client.pause();
    expect(socket.closed).toBe(true);
    expect(client.state.get().kind).toBe("paused");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets).toHaveLength(1);
    expect(channel.grid.length).toBe(1);
    client.resume();
    await vi.waitFor(() => expect(sockets).toHaveLength(2));
  });

  test("sends a fresh ticket before its session ends", async () => {
    const socket = await connect();
    socket.say({ case: "sessionEnding", value: { $typeName: "rivermeet.gateway.v1.LiveSessionEnding", secondsLeft: 30 } });
    await vi.waitFor(() => expect(socket.sent.some((frame) => frame.case === "reauthenticate" && frame.value.ticket === "ticket-2")).toBe(true));
  });
});
