// A stand-in for the suite to work on the page without it: the same protos, a made-up machine, everything in memory.
//   node dev/peer.mjs [--port 7410] [--password WORD] [--one-time]
// Serves dist/ too. User: admin. --one-time: the password must be changed after signing in.
import { create, fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { randomBytes, randomUUID } from "node:crypto";
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { WebSocketServer } from "ws";
import { AuthService, Role } from "../src/gen/rivermeet/auth/v1/auth_pb.js";
import { LiveClientFrameSchema, LiveServerFrameSchema } from "../src/gen/rivermeet/gateway/v1/live_pb.js";
import { StreamService } from "../src/gen/rivermeet/ingest/v1/streams_pb.js";
import { QueryService } from "../src/gen/rivermeet/query/v1/query_pb.js";
import { fieldType, Machine } from "./machine.mjs";
import { Store } from "./store.mjs";

const { values: flags } = parseArgs({
  options: {
    port: { type: "string", default: "7410" },
    password: { type: "string", default: "river-meets-the-sea" },
    "one-time": { type: "boolean", default: false },
    host: { type: "string", default: "web-01" },
    hz: { type: "string", default: "1" },
  },
});
const dist = resolve(fileURLToPath(import.meta.url), "../../dist");
const store = new Store();
const machine = new Machine(flags.host, 4, 42);
const TOKEN_MS = 15 * 60_000;

const state = { password: flags.password, mustChange: flags["one-time"], refresh: new Set(), tokens: new Set(), tickets: new Set(), keys: [] };

class Failure extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

function newTokens() {
  const access = randomUUID();
  const refresh = randomUUID();
  state.tokens.add(access);
  state.refresh.add(refresh);
  return { refresh, pair: { accessToken: access, accessExpires: timestampFromMs(Date.now() + TOKEN_MS) } };
}

function streamNamed(name) {
  const stream = store.streams.get(name);
  if (stream === undefined) throw new Failure("not_found", `There is no stream named ${name}.`);
  return stream;
}

function describe(stream) {
  return {
    name: stream.name,
    version: 1,
    partitions: 1,
    created: timestampFromMs(Math.floor(stream.created)),
    allowedLateness: durationFromMs(60_000),
    fields: [...stream.fields].map(([name, type]) => ({ name, type })),
  };
}

const services = {
  [AuthService.typeName]: {
    login({ user, password }, call) {
      if (user !== "admin" || password !== state.password) throw new Failure("unauthenticated", "User or password is wrong.");
      const { refresh, pair } = newTokens();
      call.cookie = refresh;
      return { tokens: pair, mustChangePassword: state.mustChange };
    },
    refresh(_, call) {
      if (!state.refresh.delete(call.refresh)) throw new Failure("unauthenticated", "There is no session.");
      const { refresh, pair } = newTokens();
      call.cookie = refresh;
      return { tokens: pair, mustChangePassword: state.mustChange };
    },
    logout(_, call) {
      state.refresh.delete(call.refresh);
      call.cookie = "";
      return {};
    },
    changePassword({ currentPassword, newPassword }, call) {
      if (currentPassword !== state.password) throw new Failure("permission_denied", "The current password is wrong.");
      state.password = newPassword;
      state.mustChange = false;
      const { refresh, pair } = newTokens();
      call.cookie = refresh;
      return { tokens: pair };
    },
    whoAmI: () => ({ subject: "1", name: "admin", tenant: "1", tenantName: "Acme", role: Role.ADMIN }),
    createTicket() {
      const ticket = randomUUID();
      state.tickets.add(ticket);
      return { ticket };
    },
    createApiKey({ name, role, expires }) {
      const id = randomBytes(6).toString("hex");
      const key = { id, name, role, expires, created: timestampFromMs(Date.now()), createdBy: "admin" };
      state.keys.unshift(key);
      return { key, secret: `rm_${id}_${randomBytes(32).toString("base64url")}` };
    },
    listApiKeys: () => ({ keys: state.keys }),
    revokeApiKey({ id }) {
      state.keys = state.keys.filter((key) => key.id !== id);
      return {};
    },
  },
  [StreamService.typeName]: {
    listStreams: () => ({ streams: [...store.streams.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(describe) }),
    getStream: ({ name }) => ({ stream: describe(streamNamed(name)) }),
  },
  [QueryService.typeName]: {
    query({ query }) {
      const stream = streamNamed(query.stream);
      const started = performance.now();
      const { frame, rows } = store.query(query);
      const elapsed = { seconds: 0n, nanos: Math.round((performance.now() - started) * 1e6) };
      return {
        frame,
        stats: { dataVersion: store.dataVersion(stream), step: store.stepOf(query), resolution: durationFromMs(1000), hotRows: BigInt(rows), elapsed },
      };
    },
    listDimensionValues({ stream, dimension }) {
      const values = new Set(streamNamed(stream).events.slice(-5000).map((event) => event.dimensions[dimension] ?? ""));
      values.delete("");
      return { values: [...values].sort() };
    },
    getLedger({ stream }) {
      const count = BigInt(streamNamed(stream).count);
      const entry = { partition: 0, received: count, appended: count, folded: count };
      return { total: entry, partitions: [entry], balanced: true };
    },
  },
};
const descriptors = [AuthService, StreamService, QueryService];
const OPEN = new Set(["Login", "Refresh", "Logout"]);
const STATUS = { unauthenticated: 401, permission_denied: 403, not_found: 404, unimplemented: 501, internal: 500 };

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function unary(request, response, service, method) {
  const call = { refresh: /(?:^|; )refresh=([^;]*)/.exec(request.headers.cookie ?? "")?.[1], cookie: undefined };
  try {
    const token = (request.headers.authorization ?? "").replace("Bearer ", "");
    if (!OPEN.has(method.name) && !state.tokens.has(token)) throw new Failure("unauthenticated", "The token is missing or has ended.");
    const handler = services[service.typeName][method.localName];
    if (handler === undefined) throw new Failure("unimplemented", `${method.name} is not part of this stand-in.`);
    const binary = request.headers["content-type"] === "application/proto";
    const body = await bodyOf(request);
    const input = binary ? fromBinary(method.input, body) : fromJsonString(method.input, body.toString() || "{}");
    const output = create(method.output, handler(input, call));
    if (call.cookie !== undefined) response.setHeader("Set-Cookie", `refresh=${call.cookie}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${call.cookie === "" ? 0 : 86400}`);
    const encoded = binary ? toBinary(method.output, output) : toJsonString(method.output, output);
    response.writeHead(200, { "Content-Type": binary ? "application/proto" : "application/json" });
    response.end(encoded);
  } catch (error) {
    const code = error instanceof Failure ? error.code : "internal";
    if (code === "internal") console.error(error);
    response.writeHead(STATUS[code] ?? 500, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ code, message: error.message }));
  }
}

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };

function file(request, response) {
  const path = normalize(new URL(request.url, "http://x").pathname);
  let full = join(dist, path);
  if (!full.startsWith(dist) || !existsSync(full) || statSync(full).isDirectory()) full = join(dist, "index.html");
  const headers = { "Content-Type": TYPES[extname(full)] ?? "application/octet-stream" };
  if (path.startsWith("/assets/")) headers["Cache-Control"] = "max-age=31536000, immutable";
  if (existsSync(`${full}.br`) && /\bbr\b/.test(request.headers["accept-encoding"] ?? "")) {
    headers["Content-Encoding"] = "br";
    full += ".br";
  }
  response.writeHead(200, headers);
  createReadStream(full).pipe(response);
}

async function rawEvents(request, response, name) {
  const body = JSON.parse((await bodyOf(request)).toString());
  const events = (Array.isArray(body) ? body : [body]).map(({ time, ...object }) => {
    const event = { time: time * 1e6, dimensions: {}, measures: {} };
    for (const [field, value] of Object.entries(object)) (typeof value === "number" ? event.measures : event.dimensions)[field] = value;
    return event;
  });
  store.append(name, events);
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ receipt: { accepted: events.length, rejected: 0 } }));
  push(name);
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://x");
  const [, typeName, methodName] = pathname.split("/");
  const service = descriptors.find((descriptor) => descriptor.typeName === typeName);
  const method = service?.methods.find(({ name }) => name === methodName);
  const raw = /^\/v1\/streams\/([^/]+)\/events$/.exec(pathname);
  if (method !== undefined) void unary(request, response, service, method);
  else if (raw !== null) void rawEvents(request, response, raw[1]);
  else file(request, response);
});

// Live: each subscription is a channel of its own.
const sockets = new Set();
const live = new WebSocketServer({ noServer: true });
server.on("upgrade", (request, socket, head) => {
  const url = new URL(request.url, "http://x");
  if (url.pathname !== "/v1/live" || !state.tickets.delete(url.searchParams.get("ticket"))) {
    socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
    return;
  }
  live.handleUpgrade(request, socket, head, (ws) => {
    const connection = { ws, subscriptions: new Map() };
    sockets.add(connection);
    ws.on("close", () => sockets.delete(connection));
    ws.on("message", (data) => receive(connection, fromBinary(LiveClientFrameSchema, data)));
  });
});

let channels = 0n;
function send(connection, frame) {
  connection.ws.send(toBinary(LiveServerFrameSchema, create(LiveServerFrameSchema, { frame })));
}

function receive(connection, { frame }) {
  if (frame.case === "ping") send(connection, { case: "pong", value: { token: frame.value.token, serverTimeUs: BigInt(Date.now()) * 1000n } });
  if (frame.case === "unsubscribe") connection.subscriptions.delete(frame.value.id);
  if (frame.case !== "subscribe") return;
  const { id, query } = frame.value;
  if (!store.streams.has(query.stream)) {
    send(connection, { case: "error", value: { id, code: 5, message: `There is no stream named ${query.stream}.`, retrying: false } });
    return;
  }
  const subscription = { channel: ++channels, query, sequence: 0n };
  connection.subscriptions.set(id, subscription);
  send(connection, { case: "subscribed", value: { id, channel: subscription.channel } });
  update(connection, subscription, undefined);
}

function update(connection, subscription, fromUs) {
  const { query } = subscription;
  const stream = store.streams.get(query.stream);
  subscription.sequence++;
  const response = {
    snapshot: fromUs === undefined,
    sequence: subscription.sequence,
    frame: store.query(query, fromUs).frame,
    dataVersion: store.dataVersion(stream),
    newestAppendTimeUs: BigInt(stream.appendUs),
    sentTimeUs: BigInt(Date.now()) * 1000n,
    step: store.stepOf(query),
    watermarkUs: BigInt(stream.appendUs - 2_000_000),
  };
  send(connection, { case: "update", value: { channel: subscription.channel, epoch: 1n, response } });
}

function push(name) {
  for (const connection of sockets) {
    for (const subscription of connection.subscriptions.values()) {
      if (subscription.query.stream === name) update(connection, subscription, Date.now() * 1000 - 3e6);
    }
  }
}

const nowUs = Date.now() * 1000;
for (let t = nowUs - 3600e6; t < nowUs; t += 1e6) store.append("host.metrics", machine.next(t), fieldType);
setInterval(() => {
  store.append("host.metrics", machine.next(Date.now() * 1000), fieldType);
  push("host.metrics");
}, 1000 / Number(flags.hz));
for (let i = 0; i < 600; i++) {
  const time = nowUs - i * 5e6;
  for (const room of ["kitchen", "cellar", "attic"]) {
    store.append("house.climate", [{ time, dimensions: { room }, measures: { temperature: 20 + 3 * Math.sin(i / 60 + room.length), humidity: 50 + (i % 10) } }]);
  }
}
store.streams.get("house.climate").events.reverse();

server.listen(Number(flags.port), "127.0.0.1", () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}`, user: "admin", password: state.password }));
});
