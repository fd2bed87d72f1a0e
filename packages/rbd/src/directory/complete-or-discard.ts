import type { Images } from "../images.ts";
import { orUndo } from "../or-undo.ts";

/**
 * Completes an image that was just created; if that fails, removes it again. The image is the one with this id: another client may have
 * renamed it meanwhile, and given its name to another image.
 *
 * @throws why it could not be completed, whether it could be removed or not
 */
export function completeOrDiscard<T>(images: Images, id: string, complete: () => Promise<T>): Promise<T> {
  return orUndo(complete, () => images.discard(id));
}
