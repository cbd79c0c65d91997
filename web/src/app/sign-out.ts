import { session } from "../api/services.js";
import { text } from "../messages/en.js";
import { toast } from "../ui/toast.js";

/** Signs out; says so when the server did not take it, for then the cookie still opens the session. */
export function signOut(): void {
  session.signOut().catch(() => toast(text.account.signOutFailed));
}
