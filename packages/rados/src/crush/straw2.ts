import { type WasmMemory, webAssembly } from "@siphon/wire";
import { RadosError } from "../errors.ts";
import { crushLnTable } from "./ln.ts";
import { BUCKET_STRAW2, type ChooseArgs, type CrushBucket, type CrushMap } from "./map.ts";
import { straw2DataAt, straw2Kernel } from "./straw2-kernel.ts";
import { chooseStraw2 } from "./straw2-plain.ts";

/** A pool's replacement weights and ids, as they lie in the memory of the kernel; by bucket index. */
export type Straw2Args = ReadonlyMap<number, readonly Straw2Input[]>;

/** Input of the kernel for one bucket (at one position of the result): addresses in its memory. */
interface Straw2Input {
  readonly ids: number;
  readonly end: number;
  readonly weights: number;
}

/**
 * Chooses from the straw2 buckets of a map. There is one kernel, with one memory, for all maps of the process: it
 * is lent to the map that is placed by, which copies its ids and weights there when another had it before. It is started
 * once enough has been looked at that it pays.
 */
export class Straw2Chooser {
  readonly #arrays = new ArrayLayout(straw2DataAt);
  /** By bucket index. */
  readonly #inputs: (Straw2Input | undefined)[];
  readonly #args: Map<number, Straw2Args>;

  constructor(map: CrushMap) {
    this.#inputs = map.buckets.map((bucket) =>
      bucket?.algorithm === BUCKET_STRAW2
        ? this.#arrays.input(this.#arrays.ids(bucket.items), bucket.size, bucket.weights)
        : undefined,
    );
    this.#args = new Map(
      [...map.chooseArgs].map(([pool, args]) => [
        pool,
        layOutArgs(this.#arrays, map.buckets, this.#inputs, args),
      ]),
    );
  }

  argsOf(pool: number): Straw2Args | undefined {
    return this.#args.get(pool);
  }

  choose(bucket: CrushBucket, x: number, r: number, args: Straw2Args | undefined, position: number): number {
    if (kernel === undefined && args === undefined && plainItems > 0) {
      plainItems -= bucket.size;
      return chooseStraw2(bucket, x, r);
    }
    const { choose } = kernel?.user === this ? kernel : this.#takeKernel();
    const index = -1 - bucket.id;
    const replaced = args?.get(index);
    const input =
      replaced === undefined ? this.#inputs[index]! : replaced[Math.min(position, replaced.length - 1)]!;
    return bucket.items[choose(input.ids, input.weights, input.end, x, r) >> 2]!;
  }

  #takeKernel(): Kernel {
    kernel ??= startKernel();
    const { memory } = kernel;
    const missing = this.#arrays.end - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
    this.#arrays.copyTo(memory.buffer);
    kernel.user = this;
    return kernel;
  }
}

interface Kernel {
  /** The offset from `ids` of the item chosen. */
  readonly choose: (ids: number, weights: number, end: number, x: number, r: number) => number;
  readonly memory: WasmMemory;
  /** The chooser whose arrays are in the memory. */
  user: Straw2Chooser | undefined;
}

let kernel: Kernel | undefined;
/** How many items are still looked at without the kernel: together they take about as long as its start. */
let plainItems = 4096;

function startKernel(): Kernel {
  if (webAssembly === undefined) {
    throw new RadosError(
      "SIPHON_RADOS_CONFIG",
      "placement needs WebAssembly, which is off in this Node process",
      {
        hint: "start Node without its option jitless, which turns WebAssembly off",
      },
    );
  }
  const memory = new webAssembly.Memory({ initial: straw2DataAt / 65536 });
  new Float64Array(memory.buffer).set(crushLnTable());
  const module = new webAssembly.Module(straw2Kernel());
  const { exports } = new webAssembly.Instance(module, { env: { memory } });
  return { choose: exports.choose as Kernel["choose"], memory, user: undefined };
}

/** Only straw2 buckets take part, and what an entry leaves out stays the bucket's own. */
function layOutArgs(
  arrays: ArrayLayout,
  buckets: CrushMap["buckets"],
  inputs: readonly (Straw2Input | undefined)[],
  args: ChooseArgs,
): Straw2Args {
  const laidOut = new Map<number, Straw2Input[]>();
  for (const [index, { ids, weightSets }] of args) {
    const own = inputs[index];
    const bucket = buckets[index];
    if (own === undefined || bucket === undefined) continue;
    const idsAt = ids === undefined ? own.ids : arrays.ids(ids);
    const sets = weightSets.length === 0 ? [bucket.weights] : weightSets;
    laidOut.set(
      index,
      sets.map((weights) => arrays.input(idsAt, bucket.size, weights)),
    );
  }
  return laidOut;
}

/** Gives arrays their addresses before the size of the memory is known. */
class ArrayLayout {
  end: number;
  readonly #start: number;
  readonly #arrays: { at: number; ids: Int32Array | undefined; weights: Uint32Array | undefined }[] = [];

  constructor(start: number) {
    this.#start = start;
    this.end = start;
  }

  ids(ids: Int32Array): number {
    return this.#add(4 * ids.length, ids, undefined);
  }

  /** A weight set that is too short leaves the items beyond it without weight. */
  input(ids: number, size: number, weights: Uint32Array): Straw2Input {
    const end = ids + 4 * ((Math.min(size, weights.length) + 7) & ~7);
    return { ids, end, weights: this.#add(8 * weights.length, undefined, weights) };
  }

  copyTo(memory: ArrayBuffer): void {
    new Uint8Array(memory, this.#start, this.end - this.#start).fill(0);
    for (const { at, ids, weights } of this.#arrays) {
      if (ids !== undefined) new Int32Array(memory).set(ids, at / 4);
      if (weights !== undefined) new Float64Array(memory).set(weights, at / 8);
    }
  }

  /** Each array starts at, and is padded with zeros to, a multiple of eight items. */
  #add(bytes: number, ids: Int32Array | undefined, weights: Uint32Array | undefined): number {
    const at = this.end;
    this.#arrays.push({ at, ids, weights });
    this.end = at + ((bytes + 63) & ~63);
    return at;
  }
}
