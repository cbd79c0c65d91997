/** The stream that the copy-ready command writes to. */
export const FIRST_STREAM = "my.first";

/** A command that sends one event with a key, as it stands. */
export function sendCommand(key: string): string {
  return [
    `curl -s ${location.origin}/v1/streams/${FIRST_STREAM}/events \\`,
    `  -H "Authorization: Bearer ${key}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '{"time":'$(date +%s)',"room":"kitchen","temperature":21.5}'`,
  ].join("\n");
}

/** A command that reads back what was sent. */
export function readCommand(key: string): string {
  const query = {
    query: {
      stream: FIRST_STREAM,
      last: "3600s",
      aggregates: [{ measure: "temperature", function: "AGGREGATE_FUNCTION_LAST" }],
      groupBy: ["room"],
    },
  };
  return [
    `curl -s ${location.origin}/v1/query \\`,
    `  -H "Authorization: Bearer ${key}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${JSON.stringify(query)}'`,
  ].join("\n");
}
