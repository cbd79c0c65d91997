import { useState } from "react";
import { text } from "../messages/en.js";
import { Button } from "../ui/controls.js";
import { clockTime, dateTime, durationText, zoneName } from "../ui/format.js";
import { ChipMenu } from "../ui/menu.js";
import { usePlace } from "./hooks.js";
import { setParams } from "./router.js";
import { LAST_CHOICES, rangeOf, rangeParams, type TimeRange } from "./time-range.js";

/** The day is said unless it is today's, seconds unless they are none. */
function words(range: TimeRange): string {
  if (range.kind === "last") return text.range.last(durationText(range.seconds));
  const day = (ms: number): string => dateTime(ms).slice(0, 10);
  const seconds = range.fromMs % 60_000 !== 0 || range.toMs % 60_000 !== 0;
  const moment = (ms: number, known: string): string => (day(ms) === known ? "" : `${day(ms)} `) + clockTime(ms, seconds);
  return text.range.fixed(moment(range.fromMs, day(Date.now())), moment(range.toMs, day(range.fromMs)));
}

/** The shown time range, with the time zone beside it. */
export function RangePicker() {
  const { params } = usePlace();
  const range = rangeOf(params);
  return (
    <ChipMenu
      name=""
      value={words(range)}
      align="end"
      shortcut="range"
      items={LAST_CHOICES.map((seconds) => ({
        id: String(seconds),
        label: text.range.last(durationText(seconds)),
        checked: range.kind === "last" && range.seconds === seconds,
        onSelect: () => setParams({ ...rangeParams({ kind: "last", seconds }), step: undefined }),
      }))}
      footer={<Custom range={range} />}
    />
  );
}

/** For datetime-local inputs, in the person's time zone. */
function local(ms: number): string {
  return dateTime(ms).replace(" ", "T");
}

function Custom({ range }: { readonly range: TimeRange }) {
  const now = Date.now();
  const [from, setFrom] = useState(local(range.kind === "fixed" ? range.fromMs : now - range.seconds * 1_000));
  const [to, setTo] = useState(local(range.kind === "fixed" ? range.toMs : now));
  const [wrong, setWrong] = useState(false);
  return (
    <form
      className="range-custom"
      onKeyDown={(event) => {
        if (event.key !== "Escape") event.stopPropagation();
      }}
      onSubmit={(event) => {
        event.preventDefault();
        const fromMs = Date.parse(from);
        const toMs = Date.parse(to);
        if (!(toMs > fromMs)) {
          setWrong(true);
          return;
        }
        setParams({ ...rangeParams({ kind: "fixed", fromMs, toMs }), step: undefined });
      }}
    >
      <label>
        <span className="muted">{text.range.from}</span>
        <input type="datetime-local" step="1" value={from} onChange={(event) => setFrom(event.target.value)} />
      </label>
      <label>
        <span className="muted">{text.range.to}</span>
        <input type="datetime-local" step="1" value={to} onChange={(event) => setTo(event.target.value)} />
      </label>
      {wrong && (
        <p className="bad" role="alert">
          {text.range.invalid}
        </p>
      )}
      <div className="range-foot">
        <span className="faint">{`${text.range.zone} ${zoneName(now)}`}</span>
        <Button type="submit">{text.range.apply}</Button>
      </div>
    </form>
  );
}
