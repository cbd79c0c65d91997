import { useEffect } from "react";
import { session } from "../api/services.js";
import { NewPassword } from "../features/sign-in/new-password.js";
import { SignIn } from "../features/sign-in/sign-in.js";
import { Unreachable } from "../features/sign-in/unreachable.js";
import { useObservable } from "./hooks.js";
import { Shell } from "./shell.js";

export function App() {
  const state = useObservable(session.state);
  useEffect(() => {
    if (state.kind !== "unreachable") return;
    const timer = setTimeout(() => void session.start(), 3_000);
    return () => clearTimeout(timer);
  }, [state]);
  switch (state.kind) {
    case "starting":
      return <div className="gate" aria-busy="true" />;
    case "unreachable":
      return <Unreachable />;
    case "signed-out":
      return <SignIn ended={state.reason === "ended"} />;
    case "must-change-password":
      return <NewPassword oneTimePassword={state.oneTimePassword} />;
    case "signed-in":
      return <Shell person={state.person} />;
  }
}
