import { createSharedMemory, Mapping } from "./native/mapping.ts";
import { type InflightDescription, malformed } from "./protocol/payloads.ts";
import { InflightArea, inflightAreaBytes } from "./ring/inflight.ts";
import { mostDescriptors } from "./ring/split-ring.ts";

/** The shared memory in which requests under way are recorded, an area for each ring. */
export class InflightMemory implements Disposable {
  readonly #mapping: Mapping;
  readonly #description: InflightDescription;

  /** The descriptor can be closed afterwards. */
  constructor(fd: number, description: InflightDescription) {
    const needed = bytesFor(description);
    if (description.mmapSize < needed) throw malformed("an inflight area that is too small");
    this.#mapping = new Mapping(fd, description.mmapOffset, needed);
    this.#description = description;
  }

  /** Fresh memory for a front-end to keep: its descriptor, and how it is to be described. */
  static create(wanted: InflightDescription): { fd: number; description: InflightDescription } {
    const mmapSize = bytesFor(wanted);
    const fd = createSharedMemory("vhost-user-inflight", mmapSize);
    return { fd, description: { ...wanted, mmapSize, mmapOffset: 0 } };
  }

  /** The area of a ring; undefined for a ring that the memory has none for. */
  area(queue: number): InflightArea | undefined {
    const { queues, queueSize } = this.#description;
    if (queue >= queues) return undefined;
    const bytes = inflightAreaBytes(queueSize);
    return new InflightArea(this.#mapping.view(queue * bytes, bytes), queueSize);
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
  }
}

function bytesFor({ queues, queueSize }: InflightDescription): number {
  if (queues === 0 || queueSize === 0 || queueSize > mostDescriptors)
    throw malformed("an inflight description");
  return queues * inflightAreaBytes(queueSize);
}
