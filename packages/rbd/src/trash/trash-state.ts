import type { Pool } from "@siphon/rados";
import { changeAll } from "../cls/run.ts";
import { setTrashState, type TrashState } from "../cls/trash.ts";
import { unless } from "../errors.ts";
import { trashObject } from "../object-names.ts";

/** Changes the state of an image in the trash, unless another client has changed it meanwhile. */
export async function changeTrashState(
  pool: Pool,
  id: string,
  state: TrashState,
  current: TrashState,
): Promise<void> {
  if (state === current) return;
  await changeAll(pool, trashObject, [setTrashState(id, state, current)]).catch(unless("ESTALE"));
}
