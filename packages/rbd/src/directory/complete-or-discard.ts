import { SiphonError } from "@siphon/wire";
import type { Images } from "../images.ts";

/**
 * Completes an image that was just created; if that fails, removes it again. The image is the one with this id: another client may have
 * renamed it meanwhile, and given its name to another image.
 *
 * @param discard removes it
 * @throws why it could not be completed, whether it could be removed or not
 */
export async function completeOrDiscard<T>(
  images: Images,
  id: string,
  complete: () => Promise<T>,
  discard: () => Promise<void> = () => images.discard(id),
): Promise<T> {
  try {
    return await complete();
  } catch (error) {
    await discard().catch((left) => {
      if (!(left instanceof SiphonError)) throw left;
    });
    throw error;
  }
}
