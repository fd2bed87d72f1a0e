import type { RbdRemedy } from "../errors.ts";
import type { ImageLayer } from "../io/image-layer.ts";
import { readBytes } from "../io/image-operations.ts";
import { isCloneHeader } from "./clone-magic.ts";
import { EncryptionError } from "./encryption-error.ts";

/**
 * Refuses an encrypted clone that has a key of its own and was opened without its keys: its bytes and those it shows of its parent are
 * encrypted differently. Read as one image, copied up or flattened, a part of them could not be decrypted any more.
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
