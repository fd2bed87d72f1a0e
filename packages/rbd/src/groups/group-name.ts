import { RbdError } from "../errors.ts";

/**
 * @throws RbdError SIPHON_RBD_INVALID for an empty name, and one with `/` or `@`, which separate pools and snapshots
 */
export function assertGroupName(name: string, what = "a group"): void {
  if (name !== "" && !/[@/]/.test(name)) return;
  throw new RbdError("SIPHON_RBD_INVALID", `invalid name for ${what}: "${name}"`);
}
