import { createSharedMemory, Mapping, sealLength } from "./native/mapping.ts";
import { type InflightDescription, malformed } from "./protocol/payloads.ts";
import { InflightArea, inflightAreaBytes } from "./ring/inflight.ts";
import { mostDescriptors } from "./ring/split-ring.ts";

/*
 * The memory, which the front-end keeps, has an area for each ring and behind them a second one for each. The server decides how long it is:
 *   queues times an area for rings of the size that was requested, as every vhost-user server lays them out
 *   queues times an area for rings of any size
 * QEMU 10.0 asks for rings of 128 and then sets some of 256 and 1,024. Rings that are not larger than what was asked for keep to the first
 * part: so another server, or an older one, can take them over. Memory from such a server has the first part only.
 */

/** The shared memory in which requests in flight are recorded. */
export class InflightMemory implements Disposable {
  readonly #mapping: Mapping;
  readonly #description: InflightDescription;
  readonly #hasRoom: boolean;
  /** By where they begin. */
  readonly #areas = new Map<number, ArrayBuffer>();

  /**
   * The descriptor can be closed afterwards.
   *
   * @param queues as many as the device has
   * @throws AttachError SIPHON_ATTACH_PROTOCOL for memory that does not hold what the description says
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

  /** Fresh memory for a front-end to keep: its descriptor, and how it is to be described. */
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
   * The area of a ring; undefined for a ring that the front-end wanted none for.
   *
   * @throws AttachError SIPHON_ATTACH_PROTOCOL for a ring that is larger than what this memory was made for
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
