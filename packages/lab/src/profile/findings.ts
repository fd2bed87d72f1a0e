import { listed } from "../report/findings.ts";
import type { Profile, ProfileThread } from "./profile.ts";

/** Percent of one core at which a thread counts as saturated. */
export const saturatedFrom = 90;
/** Percent of time waiting for a core at which a thread counts as held up. */
const heldUpFrom = 10;

/** The threads at their limit, in sentences, the most important first. */
export function saturation({ threads, cores }: Pick<Profile, "threads" | "cores">): string[] {
  const saturated = threads.filter(({ busy }) => busy >= saturatedFrom);
  const heldUp = threads.filter(
    ({ busy, delayed }) => busy < saturatedFrom && busy + delayed >= saturatedFrom && delayed >= heldUpFrom,
  );
  const sentences: string[] = [];
  if (saturated.length > 0) {
    const study = saturated.some(isMessenger)
      ? " In the study all three messenger threads were, at the top of its ladder."
      : "";
    const verb = saturated.length === 1 ? "is saturated: it uses" : "are saturated: they use";
    sentences.push(`${names(saturated)} ${verb} ${loads(saturated)} of a core.${study}`);
  }
  if (heldUp.length > 0) {
    const verb =
      heldUp.length === 1 ? "wants a core all the time but gets" : "want a core all the time but get";
    const waits = listed(heldUp.map(({ delayed }) => percent(delayed)));
    sentences.push(
      `${names(heldUp)} ${verb} one for ${loads(heldUp)} of it; for ${waits} all ${cores} cores of the machine are taken.`,
    );
  }
  if (sentences.length === 0) sentences.push(noneSaturated(threads));
  return sentences;
}

/** The cost of sampling, in sentences. */
export function costInWords({ backend, rounds, seconds, threads, cost }: Profile): string {
  const { sampleMs, stopMs, attachMs, busySampled, busyUnsampled } = cost;
  const sentences = [`${rounds} samples in ${seconds.toFixed(1)} s by ${backend}.`];
  if (backend === "eu-stack") {
    sentences.push(
      `A sample of all ${threads.length} threads took ${ms(sampleMs.median)} (at most ${ms(sampleMs.max)}); they are stopped one after the other, so that one stands still for less than ${ms(stopMs)}.`,
    );
  }
  if (backend === "gdb") {
    sentences.push(
      `At the start all threads stood still for ${ms(attachMs)} while gdb read symbols, then for ${ms(stopMs)} a sample on average.`,
    );
  }
  if (backend === "perf") {
    sentences.push(
      "No thread was stopped. perf sees threads only on a CPU: it knows how long a thread waited, but not where.",
    );
  }
  sentences.push(
    `The process used ${percent(busySampled)} of a core while it was sampled, and ${percent(busyUnsampled)} just before and after.`,
  );
  return sentences.join(" ");
}

function noneSaturated(threads: readonly ProfileThread[]): string {
  const [busiest] = threads;
  if (!busiest || busiest.busy < 0.5) return "No thread is saturated: all are nearly idle.";
  const wait = busiest.delayed >= heldUpFrom ? ` (and waits ${percent(busiest.delayed)} for one)` : "";
  return `No thread is saturated: the busiest, ${busiest.name}, uses ${percent(busiest.busy)} of a core${wait}.`;
}

/** "msgr-worker-0 and msgr-worker-1"; threads of one name are counted: "2 × io_context_pool". */
function names(threads: readonly ProfileThread[]): string {
  const counts = new Map<string, number>();
  for (const { name } of threads) counts.set(name, (counts.get(name) ?? 0) + 1);
  return listed([...counts].map(([name, count]) => (count > 1 ? `${count} × ${name}` : name)));
}

function loads(threads: readonly ProfileThread[]): string {
  return listed(threads.map(({ busy }) => percent(busy)));
}

function isMessenger({ name }: ProfileThread): boolean {
  return name.startsWith("msgr-worker");
}

function percent(value: number): string {
  return `${Math.round(value)} %`;
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}
