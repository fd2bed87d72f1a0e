import type { Pool } from "@siphon/rados";
import { headerObject } from "../object-names.ts";
import { encodeNotifyMessage } from "./notify-message.ts";

/** Notifies the clients that have an image open of a changed header; their answers do not matter. */
export async function tellHeaderUpdate(pool: Pool, imageId: string): Promise<void> {
  await pool.notify(headerObject(imageId), encodeNotifyMessage({ type: "headerUpdate" })).catch(() => {});
}
