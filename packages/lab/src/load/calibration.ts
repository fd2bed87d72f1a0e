import { op, wasmModule, webAssembly } from "@siphon/wire";
import { numericSort, quantileSorted } from "simple-statistics";

/** Words that are read: 1 MiB, more than the processor keeps closest to itself. */
const words = new Uint32Array(2 ** 18).map((_, index) => index);
/** Some fifty microseconds: on a busy machine whatever takes longer is interrupted. */
const STEPS = 10_000;
const TIMES = 40;

/**
 * Microseconds that a fixed piece of work takes a processor at this moment. It differs with the clock's frequency, with what shares the
 * processor's caches, and with the neighbours of a virtual machine. The work is done several times, and the quicker ones count: what
 * had to wait for a processor took longer.
 */
export function calibrate(): number {
  const took = Array.from({ length: TIMES }, () => {
    const before = performance.now();
    work(STEPS);
    return (performance.now() - before) * 1000;
  });
  return quantileSorted(numericSort(took), 0.25);
}

/**
 * Linear congruential steps, each by a word of the last one's choice. Nothing is changed, so that it is the same work every time. V8 compiles
 * and forgets JavaScript as it sees fit, and the same function takes three times as long from one moment to the next; WebAssembly
 * stays as it is.
 */
const work: (steps: number) => number = webAssembly ? compiled(webAssembly) : plain;

function compiled({ Memory, Module, Instance }: NonNullable<typeof webAssembly>): typeof work {
  const [steps, place] = [0, 1];
  const body = [
    ...[op.const(1), op.set(place)],
    op.while(
      [op.get(steps)],
      [
        ...[op.get(place), op.const(1664525), op.mul, op.const(1013904223), op.add],
        ...[op.get(place), op.const(14), op.shrU, op.const(2), op.shl, op.load(0), op.add, op.set(place)],
        ...[op.get(steps), op.const(1), op.sub, op.set(steps)],
      ],
    ),
    op.get(place),
  ];
  const memory = new Memory({ initial: words.byteLength / 2 ** 16 });
  new Uint32Array(memory.buffer).set(words);
  const bytes = wasmModule([{ name: "work", parameters: 1, locals: { i32: 1 }, body }]);
  return new Instance(new Module(bytes), { env: { memory } }).exports.work as typeof work;
}

function plain(steps: number): number {
  let place = 1;
  for (let step = 0; step < steps; step++) {
    place = (Math.imul(place, 1664525) + 1013904223 + words[place >>> 14]!) | 0;
  }
  return place;
}

// Compiled before it counts.
for (let round = 0; round < 50; round++) work(STEPS);
