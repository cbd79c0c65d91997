import { Check, Copy } from "lucide-react";
import { useEffect, useRef, useState, type ButtonHTMLAttributes, type ReactNode } from "react";
import { text } from "../messages/en.js";
import { go } from "../app/router.js";

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & { readonly look?: "plain" | "primary" | "quiet" | "danger" };

export function Button({ look = "plain", className = "", type = "button", ...rest }: ButtonProps) {
  return <button type={type} className={`button ${look} ${className}`} {...rest} />;
}

type IconButtonProps = Omit<ButtonProps, "aria-label"> & { readonly label: string };

/** A square button with an icon; its label is read aloud and shown on hover. */
export function IconButton({ label, className = "", look = "quiet", ...rest }: IconButtonProps) {
  return <Button aria-label={label} title={label} look={look} className={`icon-button ${className}`} {...rest} />;
}

interface LinkProps {
  readonly to: string;
  readonly children: ReactNode;
  readonly className?: string;
  readonly current?: boolean;
  readonly title?: string;
}

/** A link within the app: no page load, and the browser's own for a new tab. */
export function Link({ to, children, className, current, title }: LinkProps) {
  return (
    <a
      href={to}
      className={className}
      title={title}
      aria-current={current === true ? "page" : undefined}
      onClick={(event) => {
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}

/** Copies text, and says so for a moment. */
export function CopyButton({ value, label = text.actions.copy }: { readonly value: string; readonly label?: string }) {
  const [copied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <Button
      className="copy"
      onClick={() => {
        void copyText(value).then(() => {
          setCopied(true);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => setCopied(false), 1_600);
        });
      }}
    >
      {copied ? <Check className="icon" /> : <Copy className="icon" />}
      <span aria-live="polite">{copied ? text.actions.copied : label}</span>
    </Button>
  );
}

export async function copyText(value: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    // Without the right (plain HTTP on another host) the old way still works.
    const area = document.createElement("textarea");
    area.value = value;
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** A command that can be copied as it stands. */
export function CodeBlock({ code, label }: { readonly code: string; readonly label: string }) {
  return (
    <div className="code-block">
      <pre tabIndex={0} aria-label={label}>
        {code}
      </pre>
      <CopyButton value={code} />
    </div>
  );
}

export function Key({ children }: { readonly children: ReactNode }) {
  return <kbd className="key">{children}</kbd>;
}

export function Mark({ className = "" }: { readonly className?: string }) {
  return (
    <svg className={`mark ${className}`} viewBox="0 0 24 16" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round">
      <path d="M2 3c5 0 6.500 2 10 5s5 5 10 5" />
      <path d="M2 13c5 0 6.500-2 10-5s5-5 10-5" />
    </svg>
  );
}
