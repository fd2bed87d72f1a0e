import type { RbdRemedy } from "../errors.ts";
import type { ImageLayer } from "../io/image-layer.ts";
import { readBytes } from "../io/image-operations.ts";
import { isCloneHeader } from "./clone-magic.ts";
import { EncryptionError } from "./encryption-error.ts";

/**
 * Rejects an encrypted clone with its own key that was opened without its keys. Its bytes and its parent's are
 * encrypted with different keys, so after a copy, copy-up or flatten some of them could not be decrypted.
 *
 * @throws EncryptionError SIPHON_ENCRYPTION_LAYERS
 */
export async function assertOneKey(io: ImageLayer): Promise<void> {
  if (io.parent === undefined || io.parentView !== undefined) return;
  if (!isCloneHeader(await readBytes(io, 0, 8))) return;
  throw new EncryptionError(
    "SIPHON_ENCRYPTION_LAYERS",
    `image ${io.state.name} is an encrypted clone with its own key: this operation needs its keys, or it would destroy data`,
    {
      hint: "open it with the keys of the image and of its parent",
      remedy: { name: "give-keys" } satisfies RbdRemedy,
    },
  );
}
