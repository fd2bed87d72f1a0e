import type { Pool } from "@siphon/rados";
import { headerObject } from "../object-names.ts";
import { encodeNotifyMessage } from "./notify-message.ts";

/** Tells those who have an image open that its header was changed; nobody's answer matters. */
export async function tellHeaderUpdate(pool: Pool, imageId: string): Promise<void> {
  await pool.notify(headerObject(imageId), encodeNotifyMessage({ type: "headerUpdate" })).catch(() => {});
}
