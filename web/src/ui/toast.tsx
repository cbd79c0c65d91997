import { Observable } from "../live/observable.js";
import { useObservable } from "../app/hooks.js";

const message = new Observable<string>("");
let timer: ReturnType<typeof setTimeout> | undefined;

/** Says something for four seconds, at the bottom of the page. */
export function toast(words: string): void {
  message.set(words);
  clearTimeout(timer);
  timer = setTimeout(() => message.set(""), 4_000);
}

export function Toasts() {
  const words = useObservable(message);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {words !== "" && <div className="toast">{words}</div>}
    </div>
  );
}
