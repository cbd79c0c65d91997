import { text } from "../messages/en.js";
import { Key } from "../ui/controls.js";
import { Dialog } from "../ui/dialog.js";

const t = text.shortcuts;
const SHORTCUTS: readonly (readonly [string, readonly string[]])[] = [
  [t.palette, ["Ctrl", "K"]],
  [t.search, ["/"]],
  [t.home, ["g", "h"]],
  [t.explore, ["g", "e"]],
  [t.streams, ["g", "s"]],
  [t.keys, ["g", "k"]],
  [t.range, ["t"]],
  [t.pause, ["p"]],
  [t.theme, ["d"]],
  [t.panels, ["←", "↑", "↓", "→"]],
  [t.open, ["Enter"]],
  [t.menu, ["m"]],
  [t.close, ["Esc"]],
  [t.help, ["?"]],
];

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title={t.title} onClose={onClose}>
      <dl className="shortcuts">
        {SHORTCUTS.map(([name, keys]) => (
          <div key={name} className="shortcut">
            <dt>{name}</dt>
            <dd>
              {keys.map((key) => (
                <Key key={key}>{key}</Key>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
