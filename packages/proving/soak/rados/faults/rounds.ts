import { type FaultName, type FaultStage, faults } from "./faults.ts";

export interface RoundsOptions {
  /** At least so long; each fault of the list comes once at least. */
  seconds: number;
  /** Told of each fault as it begins. */
  report: (line: string) => void;
  /** Returns once the load has gone on after a fault. */
  goesOn: () => Promise<void>;
}

/** One fault after the other, in an order drawn from the stage's random numbers; how often each of them came. */
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
