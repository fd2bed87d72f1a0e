import { createSharedMemory, Mapping, sealLength } from "./native/mapping.ts";
import { type InflightDescription, malformed } from "./protocol/payloads.ts";
import { InflightArea, inflightAreaBytes } from "./ring/inflight.ts";
import { mostDescriptors } from "./ring/split-ring.ts";

/*
 * The front-end keeps the memory. It has one area for each ring, followed by a second one for each. The server chooses
 * its length:
 *   queues times an area for rings of the size that was requested, as every vhost-user server lays them out
 *   queues times an area for rings of any size
 * QEMU 10.0 asks for rings of 128 and then sets some of 256 and 1,024. Rings up to the requested size use only the
 * first part, so that another or an older server can take them over. Memory from such a server has only the first part.
 */

/** The shared memory in which requests in flight are recorded. */
export class InflightMemory implements Disposable {
  readonly #mapping: Mapping;
  readonly #description: InflightDescription;
  readonly #hasRoom: boolean;
  /** By offset. */
  readonly #areas = new Map<number, ArrayBuffer>();

  /**
   * The descriptor can be closed afterwards.
   *
   * @param queues as many as the device has
   * @throws AttachError SIPHON_ATTACH_PROTOCOL if the memory is shorter than its description
   */
  constructor(fd: number, description: InflightDescription, queues: number) {
    checkDescription(description, queues);
    const whole = wholeBytes(description);
    this.#hasRoom = description.mmapSize >= whole;
    const needed = this.#hasRoom ? whole : askedBytes(description);
    if (description.mmapSize < needed) throw malformed("an inflight area too small for its rings");
    sealLength(fd);
    this.#mapping = new Mapping(fd, description.mmapOffset, needed);
    this.#description = description;
  }

  /** New memory for a front-end to keep: its descriptor and its description. */
  static create(
    wanted: InflightDescription,
    queues: number,
  ): { fd: number; description: InflightDescription } {
    checkDescription(wanted, queues);
    const mmapSize = wholeBytes(wanted);
    const fd = createSharedMemory("vhost-user-inflight", mmapSize);
    return { fd, description: { ...wanted, mmapSize, mmapOffset: 0 } };
  }

  /**
   * The area of a ring; undefined if the front-end requested none for it.
   *
   * @throws AttachError SIPHON_ATTACH_PROTOCOL if the ring is too large for this memory
   */
  area(queue: number, ringSize: number): InflightArea | undefined {
    const { queues, queueSize } = this.#description;
    if (queue >= queues) return undefined;
    if (ringSize <= queueSize) return this.#areaAt(queue * inflightAreaBytes(queueSize), queueSize);
    if (!this.#hasRoom) {
      throw malformed(`a ring of ${ringSize} with an inflight area for ${queueSize}; restart the VM`);
    }
    const at = askedBytes(this.#description) + queue * inflightAreaBytes(mostDescriptors);
    return this.#areaAt(at, mostDescriptors);
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
  }

  #areaAt(at: number, size: number): InflightArea {
    const area = this.#areas.get(at) ?? this.#mapping.view(at, inflightAreaBytes(size));
    this.#areas.set(at, area);
    return new InflightArea(area, size);
  }
}

function checkDescription({ queues, queueSize }: InflightDescription, most: number): void {
  if (queues === 0 || queues > most)
    throw malformed(`an inflight area for ${queues} rings; the device has ${most}`);
  if (queueSize === 0 || queueSize > mostDescriptors) {
    throw malformed(`an inflight area for rings of ${queueSize}`);
  }
}

function askedBytes({ queues, queueSize }: InflightDescription): number {
  return queues * inflightAreaBytes(queueSize);
}

function wholeBytes(description: InflightDescription): number {
  const { queues, queueSize } = description;
  const room = queueSize < mostDescriptors ? queues * inflightAreaBytes(mostDescriptors) : 0;
  return askedBytes(description) + room;
}
