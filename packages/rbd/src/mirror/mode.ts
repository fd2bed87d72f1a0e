import type { Pool } from "@siphon/rados";
import { query } from "../cls/class-call.ts";
import { ask } from "../cls/run.ts";
import { hasCode, RbdError } from "../errors.ts";

export type MirrorMode = "disabled" | "image" | "pool";

/** The mirroring mode of a pool (cls_client::mirror_mode_get); kept in the object `rbd_mirroring`. */
export async function mirrorMode({ pool }: { readonly pool: Pool }): Promise<MirrorMode> {
  try {
    return await ask(pool, "rbd_mirroring", getMode);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "disabled";
    throw error;
  }
}

/** u32 mode. */
const getMode = query("mirror_mode_get", (r) => {
  const mode = r.u32();
  const name = modes[mode];
  if (name !== undefined) return name;
  throw new RbdError("SIPHON_RBD_UNSUPPORTED", `unknown mirror mode ${mode}`);
});

const modes: readonly MirrorMode[] = ["disabled", "image", "pool"];
