import { z } from "zod";
import { LabError } from "../errors.ts";
import type { Guest } from "./guest.ts";
import { imageGuest } from "./image-guest.ts";
import { smallGuest } from "./small.ts";

const known = z.union([
  z.object({ kind: z.literal("small") }),
  z.object({ kind: z.literal("image"), file: z.string() }),
]);

/** The guest of a VM, from the stored details. */
export async function knownGuest(details: Guest["details"]): Promise<Guest> {
  const parsed = known.safeParse(details);
  if (!parsed.success) throw new LabError("SIPHON_GUEST", `a guest of kind ${details.kind} is not known`);
  return parsed.data.kind === "small" ? smallGuest() : imageGuest(parsed.data.file);
}
