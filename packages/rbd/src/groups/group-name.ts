import { RbdError } from "../errors.ts";

/** @throws RbdError SIPHON_RBD_INVALID for a name that could not be told apart from its pool, group or snapshot */
export function assertGroupName(name: string, what = "a group"): void {
  if (name !== "" && !/[@/]/.test(name)) return;
  throw new RbdError("SIPHON_RBD_INVALID", `invalid name for ${what}: "${name}"`);
}
