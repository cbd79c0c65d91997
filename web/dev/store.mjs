// Events in memory and time-series queries over them: enough of the query service to work on the page.
import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { ColumnType, FrameSchema } from "../src/gen/rivermeet/query/v1/frame_pb.js";
import { AggregateFunction, FilterOperator } from "../src/gen/rivermeet/query/v1/query_pb.js";
import { FieldType } from "../src/gen/rivermeet/events/v1/stream_pb.js";

const KEEP_US = 2 * 3600 * 1e6;

export class Store {
  streams = new Map();

  append(name, events, typeOf = () => "float64") {
    let stream = this.streams.get(name);
    if (stream === undefined) {
      stream = { name, fields: new Map(), events: [], offset: -1, count: 0, created: (events[0]?.time ?? Date.now() * 1000) / 1000, appendUs: 0 };
      this.streams.set(name, stream);
    }
    for (const event of events) {
      for (const field of Object.keys(event.dimensions)) if (!stream.fields.has(field)) stream.fields.set(field, FieldType.DIMENSION);
      for (const field of Object.keys(event.measures)) {
        if (!stream.fields.has(field)) stream.fields.set(field, typeOf(field) === "int64" ? FieldType.INT64 : FieldType.FLOAT64);
      }
      stream.events.push(event);
    }
    stream.offset++;
    stream.count += events.length;
    stream.appendUs = Date.now() * 1000;
    const oldest = stream.appendUs - KEEP_US;
    if (stream.events.length > 0 && stream.events[0].time < oldest - 60e6) {
      stream.events = stream.events.filter((event) => event.time >= oldest);
    }
  }

  range(query, nowUs) {
    const seconds = (moment) => Number(moment.seconds) * 1e6 + moment.nanos / 1e3;
    const end = query.end === undefined ? nowUs : seconds(query.end);
    const start = query.last === undefined ? seconds(query.start) : end - seconds(query.last);
    const step = query.step === undefined ? 1e6 : seconds(query.step);
    return { start: Math.floor(start / step) * step, end, step };
  }

  /** The cells of a query from `fromUs` on, as a frame. */
  query(query, fromUs) {
    const stream = this.streams.get(query.stream);
    const { start, end, step } = this.range(query, Date.now() * 1000);
    const from = Math.max(start, fromUs === undefined ? start : Math.floor(fromUs / step) * step);
    const cells = new Map();
    const { events } = stream;
    let rows = 0;
    for (let i = events.length - 1; i >= 0; i--) {
      const event = events[i];
      if (event.time < from) break;
      if (event.time >= end + step || !this.keeps(query.filters, event)) continue;
      rows++;
      const window = Math.floor(event.time / step) * step;
      const group = query.groupBy.map((name) => event.dimensions[name] ?? "");
      const key = `${group.join("\u0000")}\u0001${window}`;
      let cell = cells.get(key);
      if (cell === undefined) {
        cell = { window, group, states: query.aggregates.map(() => ({ count: 0, sum: 0, min: Infinity, max: -Infinity, first: NaN, last: NaN })) };
        cells.set(key, cell);
      }
      query.aggregates.forEach((aggregate, a) => {
        const value = aggregate.measure === "" ? 1 : event.measures[aggregate.measure];
        if (value === undefined) return;
        const state = cell.states[a];
        if (state.count === 0) state.last = value;
        state.first = value;
        state.count++;
        state.sum += value;
        state.min = Math.min(state.min, value);
        state.max = Math.max(state.max, value);
      });
    }
    const sorted = [...cells.values()].sort((a, b) => (a.group.join() < b.group.join() ? -1 : a.group.join() > b.group.join() ? 1 : a.window - b.window));
    return { frame: this.frame(query, stream, sorted, step), rows };
  }

  keeps(filters, event) {
    return filters.every(({ dimension, operator, values }) => values.includes(event.dimensions[dimension] ?? "") === (operator !== FilterOperator.NOT_IN));
  }

  frame(query, stream, cells, step) {
    const columns = [{ name: "time", type: ColumnType.TIME, int64Values: cells.map((cell) => BigInt(cell.window)) }];
    query.groupBy.forEach((name, g) => {
      const dictionary = [...new Set(cells.map((cell) => cell.group[g]).filter((value) => value !== ""))];
      const at = new Map(dictionary.map((value, i) => [value, i + 1]));
      columns.push({ name, type: ColumnType.STRING, dictionary, index: cells.map((cell) => at.get(cell.group[g]) ?? 0) });
    });
    query.aggregates.forEach((aggregate, a) => {
      const values = cells.map((cell) => finish(aggregate.function, cell.states[a], step));
      const nulls = new Uint8Array(Math.ceil(values.length / 8));
      values.forEach((value, i) => {
        if (Number.isNaN(value)) nulls[i >> 3] |= 1 << (i & 7);
      });
      columns.push({ name: `${aggregate.function}_${aggregate.measure}`, type: ColumnType.FLOAT64, float64Values: values, nulls });
    });
    return create(FrameSchema, { columns, rowCount: BigInt(cells.length) });
  }

  dataVersion(stream) {
    return { partitions: [{ partition: 0, epoch: 1n, throughOffset: BigInt(stream.offset) }] };
  }

  stepOf(query) {
    return durationFromMs(this.range(query, Date.now() * 1000).step / 1000);
  }
}

function finish(fn, state, step) {
  switch (fn) {
    case AggregateFunction.COUNT:
      return state.count;
    case AggregateFunction.SUM:
      return state.count === 0 ? NaN : state.sum;
    case AggregateFunction.MIN:
      return state.count === 0 ? NaN : state.min;
    case AggregateFunction.MAX:
      return state.count === 0 ? NaN : state.max;
    case AggregateFunction.MEAN:
      return state.count === 0 ? NaN : state.sum / state.count;
    case AggregateFunction.RATE:
      return state.count === 0 ? NaN : state.sum / (step / 1e6);
    case AggregateFunction.FIRST:
      return state.first;
    default:
      return state.last;
  }
}
