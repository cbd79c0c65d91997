import { Link2, LogOut, Monitor, Moon, Search, Sun, UserRound } from "lucide-react";
import { lazy, memo, Suspense, useDeferredValue, type ComponentType, type LazyExoticComponent } from "react";
import type { Person } from "../api/session.js";
import { ThisMachine } from "../features/this-machine/this-machine.js";
import { text } from "../messages/en.js";
import { copyText, IconButton, Link, Mark } from "../ui/controls.js";
import { Menu } from "../ui/menu.js";
import { setTheme, themeChoice } from "../ui/theme.js";
import { toast, Toasts } from "../ui/toast.js";
import { ConnectionBadge } from "./connection-badge.js";
import { PlaceContext, useObservable } from "./hooks.js";
import { openPalette, Overlays } from "./overlays.js";
import { pageAt, PAGES } from "./pages.js";
import { RangePicker } from "./range-picker.js";
import { place as newest, type Place } from "./router.js";
import { signOut } from "./sign-out.js";
import { CrashBoundary } from "./crash-boundary.js";

const Explore = lazy(() => import("../features/explore/explore.js"));
const Streams = lazy(() => import("../features/streams/streams.js"));
const StreamDetail = lazy(() => import("../features/streams/stream-detail.js"));
const Keys = lazy(() => import("../features/keys/keys.js"));
const Bench = lazy(() => import("../features/bench/bench.js"));

const CONTENT: Readonly<Record<string, LazyExoticComponent<ComponentType>>> = {
  "/explore": Explore,
  "/streams": Streams,
  "/keys": Keys,
  "/bench": Bench,
};

/** Everything around a page: navigation, header, palette, shortcuts. */
export function Shell({ person }: { readonly person: Person }) {
  const place = useObservable(newest);
  // The frame answers a click at once; the content is rendered after it, in pieces, and a newer click overtakes it.
  const shown = useDeferredValue(place);
  const page = pageAt(place.path);
  const detail = detailOf(place);
  document.title = `${detail ?? page?.title ?? text.notFound.title} · ${text.product}`;
  return (
    <PlaceContext value={place}>
      <div className="shell">
        <a className="skip" href="#content">
          {text.nav.skip}
        </a>
        <nav className="nav" aria-label={text.nav.label}>
          <Link to="/" className="brand" title={text.product}>
            <Mark />
            <span>{text.product}</span>
          </Link>
          {(["main", "data"] as const).map((section) => (
            <div key={section} className="nav-section">
              {section === "data" && <h2 className="nav-heading faint">{text.nav.data}</h2>}
              {PAGES.filter((p) => p.section === section).map((p) => (
                <Link key={p.path} to={p.path} className="nav-item" current={p === page} title={p.title}>
                  <p.icon className="icon" aria-hidden="true" />
                  <span>{p.title}</span>
                </Link>
              ))}
            </div>
          ))}
          <Account person={person} />
        </nav>
        <div className="frame">
          <header className="top">
            <div className="crumbs">
              {detail !== undefined && page !== undefined && (
                <>
                  <Link to={page.path} className="muted crumb">
                    {page.title}
                  </Link>
                  <span className="faint" aria-hidden="true">
                    /
                  </span>
                </>
              )}
              <h1 className="truncate">{detail ?? page?.title ?? text.notFound.title}</h1>
            </div>
            <ConnectionBadge ranged={page?.ranged ?? false} />
            <div className="top-actions">
              <IconButton label={text.palette.open} onClick={openPalette} className="top-search">
                <Search className="icon" />
              </IconButton>
              <IconButton
                label={text.actions.copyLink}
                className="wide-only"
                onClick={() => void copyText(location.href).then(() => toast(text.actions.linkCopied))}
              >
                <Link2 className="icon" />
              </IconButton>
              {page?.ranged === true && <RangePicker />}
            </div>
          </header>
          <main id="content" className="content" tabIndex={-1} aria-busy={shown !== place}>
            <Content place={shown} />
          </main>
        </div>
        <Overlays />
        <Toasts />
      </div>
    </PlaceContext>
  );
}

/** The stream whose page it is, if it is one. */
function detailOf({ path, params }: Place): string | undefined {
  return path === "/streams" ? (params.get("name") ?? undefined) : undefined;
}

const Content = memo(function Content({ place }: { readonly place: Place }) {
  const detail = detailOf(place);
  return (
    <PlaceContext value={place}>
      <CrashBoundary key={place.path + (detail ?? "")}>
        <Suspense fallback={null}>
          <Page path={place.path} detail={detail} />
        </Suspense>
      </CrashBoundary>
    </PlaceContext>
  );
});

function Page({ path, detail }: { readonly path: string; readonly detail: string | undefined }) {
  if (path === "/") return <ThisMachine />;
  if (detail !== undefined) return <StreamDetail name={detail} />;
  const Known = CONTENT[path];
  if (Known !== undefined) return <Known />;
  return (
    <div className="page-empty">
      <h2>{text.notFound.title}</h2>
      <p className="muted">{text.notFound.lead}</p>
      <Link to="/">{text.notFound.home}</Link>
    </div>
  );
}

function Account({ person }: { readonly person: Person }) {
  const theme = useObservable(themeChoice);
  const role = text.account.roles[person.role] ?? "";
  return (
    <div className="account">
      <Menu
        label={text.account.menu}
        header={
          <div className="menu-head">
            <span className="strong truncate">{person.name}</span>
            <span className="muted truncate">{`${person.tenant} · ${role}`}</span>
          </div>
        }
        items={[
          { id: "system", label: text.account.system, icon: <Monitor className="icon" />, checked: theme === "system", onSelect: () => setTheme("system") },
          { id: "dark", label: text.account.dark, icon: <Moon className="icon" />, checked: theme === "dark", onSelect: () => setTheme("dark") },
          { id: "light", label: text.account.light, icon: <Sun className="icon" />, checked: theme === "light", onSelect: () => setTheme("light") },
          { id: "out", label: text.account.signOut, icon: <LogOut className="icon" />, onSelect: signOut },
        ]}
        trigger={(props) => (
          <button type="button" className="nav-item account-button" {...props} title={`${person.name} · ${person.tenant}`}>
            <UserRound className="icon" aria-hidden="true" />
            <span className="truncate">{`${person.tenant} · ${role}`}</span>
          </button>
        )}
      />
    </div>
  );
}
