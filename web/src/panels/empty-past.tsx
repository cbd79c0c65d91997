import { text } from "../messages/en.js";
import { Button } from "../ui/controls.js";
import { resetRange } from "./chart-panel.js";

/** What a panel shows when nothing happened in a range of the past, and the way back. */
export function EmptyPast() {
  return (
    <>
      <p className="strong">{text.panel.emptyPast}</p>
      <p className="muted">{text.panel.emptyPastHint}</p>
      <Button onClick={resetRange}>{text.actions.goLive}</Button>
    </>
  );
}
