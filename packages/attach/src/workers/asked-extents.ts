import { RbdError } from "@siphon/rbd";
import type { Extent, ExtentSource } from "../extent-source.ts";
import type { FromPart } from "./messages.ts";

/** Extents of a disk, which a worker requests from the disk's owner, because they need requests to OSDs. */
export class AskedExtents implements ExtentSource {
  readonly #snapshots: () => readonly string[];
  readonly #ask: (question: FromPart) => void;
  readonly #waiting = new Map<number, PromiseWithResolvers<readonly Extent[]>>();
  #last = 0;

  constructor(snapshots: () => readonly string[], ask: (question: FromPart) => void) {
    this.#snapshots = snapshots;
    this.#ask = ask;
  }

  snapshotNames(): readonly string[] {
    return this.#snapshots();
  }

  allocation(offset: number, length: number): Promise<readonly Extent[]> {
    return this.#asked(undefined, offset, length);
  }

  changedSince(snapshot: string, offset: number, length: number): Promise<readonly Extent[]> {
    return this.#asked(snapshot, offset, length);
  }

  /** @param extents a negative errno where the question failed */
  answered(id: number, extents: readonly Extent[] | number): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (typeof extents !== "number") waiting?.resolve(extents);
    else
      waiting?.reject(
        new RbdError("SIPHON_RBD_REFUSED", "the extents could not be determined", { errno: extents }),
      );
  }

  #asked(since: string | undefined, offset: number, length: number): Promise<readonly Extent[]> {
    const id = ++this.#last;
    const answer = Promise.withResolvers<readonly Extent[]>();
    this.#waiting.set(id, answer);
    this.#ask({ type: "extents", id, since, offset, length });
    return answer.promise;
  }
}
