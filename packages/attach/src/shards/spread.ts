import { AttachError } from "../errors.ts";
import { type AttachRequest, checkRequest } from "../server/attach-images.ts";

/**
 * The part of a request for each of `shards` processes: images are assigned round-robin, each with its sockets.
 *
 * @throws AttachError SIPHON_USAGE for more shards than images, and for a socket that several shards would need
 */
export function spread(request: AttachRequest, shards: number): AttachRequest[] {
  checkRequest(request);
  const { images, nbd = [], vhost = [], ...rest } = request;
  if (!Number.isInteger(shards) || shards < 1) {
    throw new AttachError("SIPHON_USAGE", "the number of shards must be a whole number, 1 or more");
  }
  if (shards > images.length) {
    const few = images.length === 1 ? "1 image" : `${images.length} images`;
    throw new AttachError("SIPHON_USAGE", `${few} cannot be spread over ${shards} shards`, {
      hint: `an image is served by one process: ask for at most ${images.length} shards`,
    });
  }
  if (shards > 1 && nbd.length === 1) {
    throw new AttachError("SIPHON_USAGE", `${shards} shards cannot share an NBD socket`, {
      hint: "name one NBD socket for each image, in the same order",
    });
  }
  return Array.from({ length: shards }, (_, shard) => {
    const mine = <T>(all: readonly T[]): T[] => all.filter((_, i) => i % shards === shard);
    return { ...rest, images: mine(images), nbd: mine(nbd), vhost: mine(vhost) };
  });
}
