/**
 * Damages complete inputs of every format and examines them. Ends with an error at the first crash, hang or printed
 * key; the seed and the input's number reproduce it.
 */
import { begin, count, usualSeed } from "../../program.ts";
import { examineDamaged, type Mutation, mutationKinds, wholeInputs } from "./hostile-inputs.ts";

const values = await begin("soak:doctor", "Damages complete inputs of every format, and examines them.", {
  inputs: count("number of inputs", 100_000),
  seed: usualSeed,
});
const total = values.inputs;
const inputs = wholeInputs();
const counts = { read: 0, refused: 0 };
/** Milliseconds of CPU that one input may take; elapsed time would include other load on the machine. */
const longest = 2000;
let state = values.seed >>> 0;

/** mulberry32: the same numbers for the same seed. */
function below(limit: number): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}

for (let number = 0; number < total; number++) {
  const file = below(8);
  const mutations: Mutation[] = Array.from({ length: 1 + below(4) }, () => ({
    kind: mutationKinds[below(mutationKinds.length)]!,
    at: below(2 ** 31),
    length: below(1000),
    value: below(1000),
  }));
  const started = process.cpuUsage();
  try {
    counts[examineDamaged(inputs[number % inputs.length]!, file, mutations)]++;
    const { user, system } = process.cpuUsage(started);
    const took = (user + system) / 1000;
    if (took > longest) throw new Error(`it took ${Math.round(took)} ms`);
  } catch (error) {
    console.error(`input ${number} of seed ${values.seed}: file ${file}, ${JSON.stringify(mutations)}`);
    throw error;
  }
  if ((number + 1) % 10_000 === 0) console.log(`${number + 1} inputs`);
}
console.table(counts);
