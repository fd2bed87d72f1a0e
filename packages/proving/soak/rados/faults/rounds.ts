import { type FaultName, type FaultStage, faults } from "./faults.ts";

export interface RoundsOptions {
  /** Minimum duration; each fault of the list occurs at least once. */
  seconds: number;
  /** Called as each fault begins. */
  report: (line: string) => void;
  /** Resolves once the load has made progress after a fault. */
  goesOn: () => Promise<void>;
}

/** One fault after the other, in an order from the stage's random numbers; returns how often each occurred. */
export async function runRounds(
  stage: FaultStage,
  { seconds, report, goesOn }: RoundsOptions,
): Promise<Partial<Record<FaultName, number>>> {
  const began = performance.now();
  const counts: Partial<Record<FaultName, number>> = {};
  for (let round = 0; round === 0 || performance.now() - began < seconds * 1000; round++) {
    for (const name of shuffled(stage)) {
      if (round > 0 && performance.now() - began >= seconds * 1000) break;
      report(`${Math.round((performance.now() - began) / 1000)} s: ${name}`);
      await faults[name](stage);
      counts[name] = (counts[name] ?? 0) + 1;
      await goesOn();
    }
  }
  return counts;
}

function shuffled({ random }: FaultStage): FaultName[] {
  const names = Object.keys(faults) as FaultName[];
  for (let i = names.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [names[i], names[j]] = [names[j]!, names[i]!];
  }
  return names;
}
