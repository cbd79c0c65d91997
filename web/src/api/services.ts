import { createClient } from "@connectrpc/connect";
import { AuthService } from "../gen/rivermeet/auth/v1/auth_pb.js";
import { StreamService } from "../gen/rivermeet/ingest/v1/streams_pb.js";
import { QueryService } from "../gen/rivermeet/query/v1/query_pb.js";
import { frameLoop } from "../live/frame-loop.js";
import { LiveClient, type Socket } from "../live/live-client.js";
import { Session } from "./session.js";

/** What the page talks to; one each, made here and nowhere else. */
export const session = new Session();
export const auth = createClient(AuthService, session.transport);
export const streams = createClient(StreamService, session.transport);
export const queries = createClient(QueryService, session.transport);

function openSocket(ticket: string): Socket {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return new WebSocket(`${scheme}://${location.host}/v1/live?ticket=${encodeURIComponent(ticket)}`) as Socket;
}

export const live = new LiveClient({ ticket: () => session.ticket(), open: openSocket });
frameLoop.onPainted(() => live.painted());

session.state.subscribe(() => {
  if (session.state.get().kind === "signed-in") live.start();
  else live.stop();
});
